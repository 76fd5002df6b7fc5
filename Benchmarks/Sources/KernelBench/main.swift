// Measures the matrix product beside OpenBLAS, interleaved, on the shapes of training and decoding a 135M-parameter model.
// Usage: KernelBench [rounds] [threads] [filter]
import Glibc
import Kernels

struct Shape {
  let name: String
  let m: Int, n: Int, k: Int
  let transA: Transpose, transB: Transpose
}

// With one thread, processor time: it holds still on a busy machine.
let clock = CommandLine.arguments.count > 2 && CommandLine.arguments[2] == "1" ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC

func seconds(_ body: () -> Void) -> Double {
  var start = timespec()
  var end = timespec()
  clock_gettime(clock, &start)
  body()
  clock_gettime(clock, &end)
  return Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) * 1e-9
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

func column(_ value: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - value.count)) + value }

func number(_ value: Double, _ width: Int) -> String { column(String(Int(value.rounded())), width) }

func random(_ count: Int, stream: UInt64) -> FloatBuffer {
  let buffer = FloatBuffer(count: count)
  let philox = Philox(seed: 1, stream: stream)
  for i in 0..<count { buffer.pointer[i] = philox.uniformFloat(UInt64(i)) - 0.5 }
  return buffer
}

let arguments = CommandLine.arguments
let rounds = arguments.count > 1 ? Int(arguments[1]) ?? 15 : 15
let threads = arguments.count > 2 ? Int(arguments[2]) ?? 2 : 2
let filter = arguments.count > 3 ? arguments[3] : ""
let blas = getenv("NO_OPENBLAS") == nil ? OpenBLAS.load() : nil
let pool = ThreadPool(threads: threads)
print("\(CPU.kernelName), \(CPU.current.name), \(threads) threads; OpenBLAS: \(blas?.core ?? "none")")

var shapes: [Shape] = []
let rows = 1024
for (name, n, k) in [
  ("o", 576, 576), ("qkv", 960, 576), ("gate+up", 3072, 576), ("down", 576, 1536), ("kv", 192, 576), ("head", 4096, 576),
] {
  shapes.append(Shape(name: "\(name) y", m: rows, n: n, k: k, transA: .no, transB: .yes))
  shapes.append(Shape(name: "\(name) dx", m: rows, n: k, k: n, transA: .no, transB: .no))
  shapes.append(Shape(name: "\(name) dW", m: n, n: k, k: rows, transA: .yes, transB: .no))
}
for m in [1, 8, 16, 64, 256] { shapes.append(Shape(name: "gate+up m=\(m)", m: m, n: 3072, k: 576, transA: .no, transB: .yes)) }

print(column("product", 20), column("m", 6), column("n", 6), column("k", 6), column("ours", 6), column("blas", 6), "GFLOP/s")
var ours = 0.0
var theirs = 0.0
for shape in shapes where filter.isEmpty || shape.name.hasPrefix(filter) {
  let (m, n, k) = (shape.m, shape.n, shape.k)
  let a = random(m * k, stream: 1)
  let b = random(n * k, stream: 2)
  let c = FloatBuffer(count: m * n)
  let lda = shape.transA == .yes ? m : k
  let ldb = shape.transB == .yes ? k : n
  var mine: [Double] = []
  var other: [Double] = []
  func product() {
    gemm(
      pool, m: m, n: n, k: k, a: a.pointer, lda: lda, transA: shape.transA, b: b.pointer, ldb: ldb, transB: shape.transB, c: c.pointer,
      ldc: n,
      accumulate: false)
  }
  // OpenBLAS with one thread of its own, the columns split over the pool: its own threads would go on spinning, and slow down what runs
  // next.
  func reference() {
    let half = (n / threads + 15) / 16 * 16
    pool.run(threads) { part in
      let first = part * half
      let columns = min(half, n - first)
      if columns <= 0 { return }
      blas?.gemm(
        m: m, n: columns, k: k, a: a.pointer, lda: lda, transA: shape.transA, b: b.pointer + (shape.transB == .yes ? first * ldb : first),
        ldb: ldb,
        transB: shape.transB, c: c.pointer + first, ldc: n, accumulate: false)
    }
  }
  for _ in 0..<rounds {
    product()
    product()
    for _ in 0..<3 { mine.append(seconds(product)) }
    reference()
    reference()
    for _ in 0..<3 { other.append(seconds(reference)) }
  }
  let work = 2e-9 * Double(m) * Double(n) * Double(k)
  if m >= 512 {
    ours += median(mine)
    theirs += median(other)
  }
  print(
    column(shape.name, 20), number(Double(m), 6), number(Double(n), 6), number(Double(k), 6), number(work / median(mine), 6),
    number(work / median(other), 6), "best", number(work / mine.min()!, 6), number(work / other.min()!, 6))
}
print("training shapes, total ms:", ours * 1e3, theirs * 1e3)

// MARK: - Packed weights

if filter.isEmpty || filter == "packed" {
  print("packed weights 49152 x 576:")
  let weights = random(49152 * 576, stream: 3)
  let packed = PackedMatrix(pool, n: 49152, k: 576, weights: weights.pointer)
  for m in [1, 2, 4, 8, 16, 32, 64, 128, 1024] {
    let x = random(m * 576, stream: 4)
    let y = FloatBuffer(count: m * 49152)
    let times = (0..<rounds).map { _ in
      seconds { packed.multiply(pool, m: m, x: x.pointer, ldx: 576, y: y.pointer, ldy: 49152, accumulate: false) }
    }
    let size = 4e-9 * 49152 * 576
    print(
      column("m = \(m)", 10), "GFLOP/s", number(size / 2 * Double(m) / median(times), 5), "best",
      number(size / 2 * Double(m) / times.min()!, 5),
      "weights GB/s", number(size / median(times), 4), "best", number(size / times.min()!, 4))
  }
}

// MARK: - Attention

if filter.isEmpty || filter == "attention" {
  let shape = AttentionShape(heads: 9, keyValueHeads: 3, headDimension: 64, scale: 0.125)
  for offsets in [[0, 256, 512, 768, 1024], [0, 1024], [0, 300, 700, 1024]] {
    let (width, kvWidth, ld) = (576, 192, 960)
    let fused = random(1024 * ld, stream: 5)
    let dOut = random(1024 * width, stream: 6)
    let out = FloatBuffer(count: 1024 * width)
    let logSumExp = FloatBuffer(count: 1024 * 9)
    let gradients = FloatBuffer(count: 1024 * ld)
    let (q, g) = (fused.pointer, gradients.pointer)
    var forward: [Double] = []
    var backward: [Double] = []
    for _ in 0..<(3 * rounds) {
      forward.append(
        seconds {
          attentionForward(
            pool, shape, AttentionRecords(offsets: offsets), q: q, ldq: ld, k: q + width, ldk: ld, v: q + width + kvWidth, ldv: ld,
            out: out.pointer,
            ldo: width,
            logSumExp: logSumExp.pointer)
        })
      backward.append(
        seconds {
          attentionBackward(
            pool, shape, AttentionRecords(offsets: offsets), q: q, ldq: ld, k: q + width, ldk: ld, v: q + width + kvWidth, ldv: ld,
            out: out.pointer,
            ldo: width,
            logSumExp: logSumExp.pointer, dOut: dOut.pointer, lddo: width, dq: g, lddq: ld, dk: g + width, lddk: ld,
            dv: g + width + kvWidth, lddv: ld)
        })
    }
    print(
      "attention, records \(offsets): forward ms", column("\((median(forward) * 1e5).rounded() / 100)", 6), "backward ms",
      column("\((median(backward) * 1e5).rounded() / 100)", 6), "best", (forward.min()! * 1e5).rounded() / 100,
      (backward.min()! * 1e5).rounded() / 100)
  }
  let caches = random(32 * 3 * 512 * 64 * 2, stream: 7)
  let headStride = 512 * 64
  let valuesOffset = 32 * 3 * headStride
  let sequences = (0..<32).map { (b: Int) -> KeyValueSequence in
    let keys = Floats(caches.pointer + b * 3 * headStride)
    let empty = KeyValueSegment(keys: keys, values: keys, count: 0, rowStride: 64, headStride: headStride)
    let own = KeyValueSegment(keys: keys, values: keys + valuesOffset, count: 400, rowStride: 64, headStride: headStride)
    return KeyValueSequence(prefix: empty, own: own)
  }
  let q = random(32 * 576, stream: 8)
  let out = FloatBuffer(count: 32 * 576)
  let times = (0..<(5 * rounds)).map { _ in
    seconds { attentionDecode(pool, shape, sequences: sequences, q: q.pointer, ldq: 576, out: out.pointer, ldo: 576) }
  }
  print(
    "decoding, 32 sequences of 400: ms \((median(times) * 1e5).rounded() / 100), cache GB/s",
    number(32 * 400 * 3 * 64 * 8e-9 / median(times), 4))
}
