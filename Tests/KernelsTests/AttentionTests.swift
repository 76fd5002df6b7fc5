import Kernels
import Testing

extension MatrixProductTests {
  /// Attention over packed records and against caches. Serialized with the matrix products, for both switch the instruction set.
  @Suite("attention", .serialized)
  struct AttentionTests {
    struct Case: CustomTestStringConvertible, Sendable {
      let heads: Int, keyValueHeads: Int, dimension: Int
      let lengths: [Int]
      var testDescription: String { "\(heads)/\(keyValueHeads) heads of \(dimension), records \(lengths)" }
      var shape: AttentionShape {
        .init(heads: heads, keyValueHeads: keyValueHeads, headDimension: dimension, scale: 1 / Float(dimension).squareRoot())
      }
      var offsets: [Int] { lengths.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1) } }
    }

    static let cases: [Case] = [
      (9, 3, 64, [1, 47, 48, 49, 95, 96, 97, 200]), (2, 2, 16, [130, 0, 5]), (4, 1, 32, [300]), (2, 1, 128, [100, 3]),
      (6, 2, 80, [60, 111]),
      (3, 3, 20, [10, 50]),
    ].map { Case(heads: $0.0, keyValueHeads: $0.1, dimension: $0.2, lengths: $0.3) }

    /// Inputs in one fused buffer (q, k, v side by side, with a gap), and everything attention writes.
    final class Run {
      let shape: AttentionShape
      let offsets: [Int]
      let (rows, width, kvWidth, ld): (Int, Int, Int, Int)
      let fused: FloatBuffer, out: FloatBuffer, logSumExp: FloatBuffer, dOut: FloatBuffer, gradients: FloatBuffer

      /// `select` picks records of the whole case; a record's numbers do not depend on the selection.
      init(_ example: Case, select: [Int]? = nil) {
        shape = example.shape
        let select = select ?? Array(example.lengths.indices)
        offsets = select.reduce(into: [0]) { $0.append(($0.last ?? 0) + example.lengths[$1]) }
        rows = offsets.last ?? 0
        width = shape.heads * shape.headDimension
        kvWidth = shape.keyValueHeads * shape.headDimension
        ld = width + 2 * kvWidth + 3
        fused = FloatBuffer(count: rows * ld)
        out = FloatBuffer(count: rows * width)
        logSumExp = FloatBuffer(count: rows * shape.heads)
        dOut = FloatBuffer(count: rows * width)
        gradients = FloatBuffer(count: rows * ld)
        for (place, record) in select.enumerated() {
          let inputs = randomFloats(example.lengths[record] * ld, stream: UInt64(10 + record))
          (fused.pointer + offsets[place] * ld).update(from: inputs.pointer, count: inputs.count)
          let d = randomFloats(example.lengths[record] * width, stream: UInt64(100 + record))
          (dOut.pointer + offsets[place] * width).update(from: d.pointer, count: d.count)
        }
        for i in 0..<fused.count { fused.pointer[i] *= 2 }
      }

      func forward(_ pool: ThreadPool) {
        let q = fused.pointer
        attentionForward(
          pool, shape, AttentionRecords(offsets: offsets), q: q, ldq: ld, k: q + width, ldk: ld, v: q + width + kvWidth, ldv: ld,
          out: out.pointer,
          ldo: width,
          logSumExp: logSumExp.pointer)
      }

      func backward(_ pool: ThreadPool) {
        let (q, g) = (fused.pointer, gradients.pointer)
        attentionBackward(
          pool, shape, AttentionRecords(offsets: offsets), q: q, ldq: ld, k: q + width, ldk: ld, v: q + width + kvWidth, ldv: ld,
          out: out.pointer,
          ldo: width,
          logSumExp: logSumExp.pointer, dOut: dOut.pointer, lddo: width, dq: g, lddq: ld, dk: g + width, lddk: ld, dv: g + width + kvWidth,
          lddv: ld)
      }

      func columns(_ buffer: FloatBuffer, _ first: Int, _ count: Int) -> [Float] {
        (0..<rows).flatMap { row in (0..<count).map { buffer.pointer[row * ld + first + $0] } }
      }

      /// Bits of everything written for one record.
      func bits(_ place: Int) -> [UInt32] {
        let (a, b) = (offsets[place], offsets[place + 1])
        return Array(out.bits[a * width..<b * width]) + Array(logSumExp.bits[a * shape.heads..<b * shape.heads])
          + Array(gradients.bits[a * ld..<b * ld])
      }
    }

    @Test("forward and backward agree with the Double oracle", arguments: cases)
    func oracle(example: Case) {
      let run = Run(example)
      run.forward(pools[1])
      run.backward(pools[1])
      let (width, kvWidth) = (run.width, run.kvWidth)
      let oracle = AttentionOracle(
        shape: run.shape, AttentionRecords(offsets: run.offsets), q: run.columns(run.fused, 0, width),
        k: run.columns(run.fused, width, kvWidth),
        v: run.columns(run.fused, width + kvWidth, kvWidth), dOut: Array(run.dOut.elements))
      #expect(largestDifference(Array(run.out.elements), oracle.out) < 3e-6)
      #expect(largestDifference(Array(run.logSumExp.elements), oracle.logSumExp) < 3e-6)
      #expect(largestDifference(run.columns(run.gradients, 0, width), oracle.dq) < 2e-5)
      #expect(largestDifference(run.columns(run.gradients, width, kvWidth), oracle.dk) < 2e-5)
      #expect(largestDifference(run.columns(run.gradients, width + kvWidth, kvWidth), oracle.dv) < 2e-5)
    }

    @Test("a record's bits do not depend on the batch, the threads or the instruction set", arguments: cases)
    func batch(example: Case) {
      let whole = Run(example)
      whole.forward(pools[0])
      whole.backward(pools[0])
      for set in instructionSets {
        CPU.override(set)
        for pool in pools {
          let again = Run(example)
          again.forward(pool)
          again.backward(pool)
          #expect(again.out.bits == whole.out.bits && again.gradients.bits == whole.gradients.bits, "\(set), \(pool.threads) threads")
        }
        for record in example.lengths.indices {
          let alone = Run(example, select: [record])
          alone.forward(pools[1])
          alone.backward(pools[1])
          #expect(alone.bits(0) == whole.bits(record), "record \(record), \(set)")
        }
      }
      CPU.override(CPU.current.best)
    }

    @Test("a row's bits do not depend on the rows after it")
    func causal() {
      let long = Run(Case(heads: 4, keyValueHeads: 2, dimension: 64, lengths: [150]))
      long.forward(pools[1])
      for length in [1, 30, 48, 97, 149] {
        let short = Run(Case(heads: 4, keyValueHeads: 2, dimension: 64, lengths: [length]))
        short.forward(pools[0])
        #expect(short.out.bits == Array(long.out.bits.prefix(length * long.width)))
      }
    }

    @Test("decoding gives the bits of the forward pass, wherever the prefix ends", arguments: cases)
    func decode(example: Case) {
      let run = Run(example)
      run.forward(pools[1])
      let (shape, width, kvWidth, d) = (run.shape, run.width, run.kvWidth, run.shape.headDimension)
      for (record, length) in example.lengths.enumerated() where length > 0 {
        let first = run.offsets[record]
        // The last positions of the record, each as a sequence of its own, the prefix ending in different places.
        let lengths = Array(Set([1, length / 2 + 1, length])).sorted()
        // Own rows in the layout [head][position][d], the prefix in place, in the fused buffer.
        let own = FloatBuffer(count: 2 * length * kvWidth)
        for position in 0..<length {
          for part in 0..<2 {
            for kv in 0..<shape.keyValueHeads {
              let from = run.fused.pointer + (first + position) * run.ld + width + part * kvWidth + kv * d
              (own.pointer + part * length * kvWidth + (kv * length + position) * d).update(from: from, count: d)
            }
          }
        }
        var sequences: [KeyValueSequence] = []
        let q = FloatBuffer(count: lengths.count * 3 * width)
        var expected: [UInt32] = []
        for total in lengths {
          for prefix in [0, total / 3, total] {
            let keys = run.fused.pointer + first * run.ld + width
            let mine = own.pointer + prefix * d
            let row = first + total - 1
            (q.pointer + sequences.count * width).update(from: run.fused.pointer + row * run.ld, count: width)
            expected += run.out.bits[row * width..<(row + 1) * width]
            sequences.append(
              KeyValueSequence(
                prefix: .init(keys: keys, values: keys + kvWidth, count: prefix, rowStride: run.ld, headStride: d),
                own: .init(keys: mine, values: mine + length * kvWidth, count: total - prefix, rowStride: d, headStride: length * d)))
          }
        }
        for set in instructionSets {
          CPU.override(set)
          for pool in pools {
            let out = FloatBuffer(count: sequences.count * width)
            attentionDecode(pool, shape, sequences: sequences, q: q.pointer, ldq: width, out: out.pointer, ldo: width)
            #expect(out.bits == expected, "record \(record), \(set), \(pool.threads) threads")
          }
        }
        CPU.override(CPU.current.best)
      }
    }
  }
}
