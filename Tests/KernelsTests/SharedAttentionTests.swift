import Kernels
import Testing

extension MatrixProductTests {
  /// Attention of records that go on from a prompt's rows, against the same records with the prompt written out.
  @Suite("attention behind prompts", .serialized)
  struct SharedAttentionTests {
    static let cases: [AttentionCase] = [
      (9, 3, 64, [[46, 48, 1, 50, 51, 200], [7], [96, 1, 96], [95, 2, 1]]), (4, 1, 32, [[1, 1, 1, 300], [150, 3, 60]]),
      (2, 2, 16, [[130, 0, 5]]), (6, 2, 80, [[48, 48, 48, 49], [47, 49]]), (3, 3, 20, [[10, 50, 7], [60], [33, 1]]),
    ].map(AttentionCase.init)

    /// One row of inputs and results a position: q, k and v side by side.
    final class Run {
      let shape: AttentionShape
      let records: AttentionRecords
      /// Of each of this run's rows: the row of the shared layout that it holds a copy of.
      let origin: [Int]
      let (width, kvWidth, ld): (Int, Int, Int)
      let fused: FloatBuffer, out: FloatBuffer, logSumExp: FloatBuffer, dOut: FloatBuffer, gradients: FloatBuffer

      /// `written`: each record behind a prompt as one record with the prompt's rows; dOut of those copies is 0, for the prompt's own
      /// rows are there as a record too.
      init(_ example: AttentionCase, written: Bool) {
        shape = example.shape
        width = shape.heads * shape.headDimension
        kvWidth = shape.keyValueHeads * shape.headDimension
        ld = width + 2 * kvWidth
        var offsets = [0]
        var prompts: [Int] = []
        var origin: [Int] = []
        var isCopy: [Bool] = []
        var first = 0
        for lengths in example.groups {
          let prompt = first..<first + lengths[0]
          let leader = prompts.count
          for (place, length) in lengths.enumerated() {
            if written && place > 0 {
              origin += prompt
              isCopy += prompt.map { _ in true }
            }
            origin += first..<first + length
            isCopy += (0..<length).map { _ in false }
            first += length
            offsets.append(origin.count)
            prompts.append(written ? prompts.count : leader)
          }
        }
        records = AttentionRecords(offsets: offsets, prompts: prompts)
        self.origin = origin
        fused = FloatBuffer(count: origin.count * ld)
        out = FloatBuffer(count: origin.count * width)
        logSumExp = FloatBuffer(count: origin.count * shape.heads)
        dOut = FloatBuffer(count: origin.count * width)
        gradients = FloatBuffer(count: origin.count * ld)
        let inputs = randomFloats(first * ld, stream: 31)
        let slopes = randomFloats(first * width, stream: 32)
        for (row, from) in origin.enumerated() {
          for i in 0..<ld { fused.pointer[row * ld + i] = 2 * inputs.pointer[from * ld + i] }
          for i in 0..<width where !isCopy[row] { dOut.pointer[row * width + i] = slopes.pointer[from * width + i] }
        }
      }

      func run(_ pool: ThreadPool) {
        let (q, g) = (fused.pointer, gradients.pointer)
        attentionForward(
          pool, shape, records, q: q, ldq: ld, k: q + width, ldk: ld, v: q + width + kvWidth, ldv: ld, out: out.pointer, ldo: width,
          logSumExp: logSumExp.pointer)
        attentionBackward(
          pool, shape, records, q: q, ldq: ld, k: q + width, ldk: ld, v: q + width + kvWidth, ldv: ld, out: out.pointer, ldo: width,
          logSumExp: logSumExp.pointer, dOut: dOut.pointer, lddo: width, dq: g, lddq: ld, dk: g + width, lddk: ld, dv: g + width + kvWidth,
          lddv: ld)
      }

      func columns(_ buffer: FloatBuffer, _ first: Int, _ count: Int) -> [Float] {
        origin.indices.flatMap { row in (0..<count).map { buffer.pointer[row * ld + first + $0] } }
      }

      /// Each row's values, by the row of the shared layout, the last copy where there are several.
      func bitsByOrigin(_ buffer: FloatBuffer, _ width: Int) -> [Int: [UInt32]] {
        let bits = buffer.bits
        return Dictionary(origin.enumerated().map { ($1, Array(bits[$0 * width..<($0 + 1) * width])) }) { $1 }
      }
    }

    @Test("forward and backward agree with the Double oracle", arguments: cases)
    func oracle(example: AttentionCase) {
      let run = Run(example, written: false)
      run.run(pools[1])
      let (width, kvWidth) = (run.width, run.kvWidth)
      let oracle = AttentionOracle(
        shape: run.shape, run.records, q: run.columns(run.fused, 0, width), k: run.columns(run.fused, width, kvWidth),
        v: run.columns(run.fused, width + kvWidth, kvWidth), dOut: Array(run.dOut.elements))
      #expect(largestDifference(Array(run.out.elements), oracle.out) < 3e-6)
      #expect(largestDifference(Array(run.logSumExp.elements), oracle.logSumExp) < 3e-6)
      #expect(largestDifference(run.columns(run.gradients, 0, width), oracle.dq) < 2e-5)
      #expect(largestDifference(run.columns(run.gradients, width, kvWidth), oracle.dk) < 4e-5)
      #expect(largestDifference(run.columns(run.gradients, width + kvWidth, kvWidth), oracle.dv) < 4e-5)
    }

    @Test("a record behind a prompt has the bits of the two as one record", arguments: cases)
    func written(example: AttentionCase) {
      let shared = Run(example, written: false)
      let written = Run(example, written: true)
      shared.run(pools[1])
      written.run(pools[1])
      #expect(shared.bitsByOrigin(shared.out, shared.width) == written.bitsByOrigin(written.out, written.width))
      let heads = shared.shape.heads
      #expect(shared.bitsByOrigin(shared.logSumExp, heads) == written.bitsByOrigin(written.logSumExp, heads))

      var sums = [Double](repeating: 0, count: shared.gradients.count)
      for (row, origin) in written.origin.enumerated() {
        for i in 0..<shared.ld { sums[origin * shared.ld + i] += Double(written.gradients.pointer[row * shared.ld + i]) }
      }
      #expect(largestDifference(Array(shared.gradients.elements), sums) < 1e-5)
    }

    @Test("no bit depends on the threads, the instruction set or the other groups", arguments: cases)
    func invariance(example: AttentionCase) {
      let whole = Run(example, written: false)
      whole.run(pools[0])
      for set in instructionSets {
        CPU.override(set)
        for pool in pools {
          let again = Run(example, written: false)
          again.run(pool)
          #expect(again.out.bits == whole.out.bits && again.gradients.bits == whole.gradients.bits, "\(set), \(pool.threads) threads")
        }
      }
      CPU.override(CPU.current.best)
      let repeated = Run(
        AttentionCase(example.heads, example.keyValueHeads, example.dimension, example.groups + [[3, 2], [9]]),
        written: false)
      repeated.run(pools[2])
      #expect(repeated.gradients.bits.starts(with: whole.gradients.bits))
    }
  }
}
