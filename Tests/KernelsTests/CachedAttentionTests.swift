import Kernels
import Testing

extension MatrixProductTests {
  /// Decoding of sequences that share a prefix, against the forward pass over each of them written out.
  @Suite("attention over caches", .serialized)
  struct CachedAttentionTests {
    static let cases: [AttentionCase] = [
      (
        9, 3, 64,
        [[46, 48, 1, 50, 51, 200, 3, 3, 17, 16, 15, 33, 2, 1, 1, 1, 1, 1, 49], [96, 1, 96, 97], [95, 2, 1], [200, 5, 150], [0, 7]]
      ),
      (4, 1, 32, [[1, 1, 1, 300], [150, 3, 60, 43]]), (2, 2, 16, [[130, 1, 5]]), (6, 2, 80, [[48, 48, 48, 49], [47, 49]]),
      (3, 3, 20, [[10, 50, 7], [60, 1], [33, 1]]), (60, 1, 8, [[20, 1, 2, 3]]), (6, 1, 70, [[97, 1, 2, 3, 4, 5, 6, 7, 8]]),
    ].map(AttentionCase.init)

    /// A cache of two layers, of which only the second holds what is wanted; the rest is NaN.
    private final class Cache {
      let buffer: FloatBuffer
      let (heads, dimension, capacity): (Int, Int, Int)
      var layerStride: Int { 2 * heads * capacity * dimension }

      init(_ shape: AttentionShape, slots: Int, capacity: Int) {
        (heads, dimension, self.capacity) = (shape.keyValueHeads, shape.headDimension, capacity)
        buffer = FloatBuffer(count: slots * 4 * heads * capacity * dimension)
        buffer.pointer.update(repeating: .nan, count: buffer.count)
      }

      /// `row`: heads × dimension keys, then as many values.
      func store(_ row: UnsafePointer<Float>, slot: Int, position: Int) {
        for part in 0..<2 {
          for head in 0..<heads {
            let to = slot * 2 * layerStride + layerStride + ((part * heads + head) * capacity + position) * dimension
            (buffer.pointer + to).update(from: row + (part * heads + head) * dimension, count: dimension)
          }
        }
      }

      func segment(slot: Int, count: Int) -> KeyValueSegment {
        let keys = buffer.pointer + slot * 2 * layerStride
        return KeyValueSegment(
          keys: keys, values: keys + heads * capacity * dimension, count: count, rowStride: dimension, headStride: capacity * dimension)
      }
    }

    @Test("sequences of one prefix have the bits of the forward pass, and new rows are stored", arguments: cases)
    func shared(example: AttentionCase) {
      let shape = example.shape
      let (width, kvWidth) = (shape.heads * shape.headDimension, shape.keyValueHeads * shape.headDimension)
      let ld = width + 2 * kvWidth
      let lengths = example.groups.flatMap { group in group.dropFirst().map { group[0] + $0 } }
      let offsets = lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
      let written = randomFloats(offsets[lengths.count] * ld, stream: 7)
      let longest = example.groups.joined().max() ?? 1
      let prefixes = Cache(shape, slots: example.groups.count, capacity: longest)
      let own = Cache(shape, slots: lengths.count, capacity: longest)
      let fresh = FloatBuffer(count: lengths.count * ld)
      var sequences: [KeyValueSequence] = []
      for (slot, group) in example.groups.enumerated() {
        let first = offsets[sequences.count]
        for tail in group.dropFirst() {
          let index = sequences.count
          for position in 0..<group[0] {
            let row = written.pointer + (offsets[index] + position) * ld
            row.update(from: written.pointer + (first + position) * ld, count: ld)
            prefixes.store(row + width, slot: slot, position: position)
          }
          for position in 0..<tail - 1 {
            own.store(written.pointer + (offsets[index] + group[0] + position) * ld + width, slot: index, position: position)
          }
          (fresh.pointer + index * ld).update(from: written.pointer + (offsets[index + 1] - 1) * ld, count: ld)
          sequences.append(
            KeyValueSequence(prefix: prefixes.segment(slot: slot, count: group[0]), own: own.segment(slot: index, count: tail)))
        }
      }
      let all = FloatBuffer(count: offsets[lengths.count] * width)
      let sums = FloatBuffer(count: offsets[lengths.count] * shape.heads)
      attentionForward(
        pools[1], shape, AttentionRecords(offsets: offsets), q: written.pointer, ldq: ld, k: written.pointer + width, ldk: ld,
        v: written.pointer + width + kvWidth, ldv: ld, out: all.pointer, ldo: width, logSumExp: sums.pointer)
      let bits = all.bits
      let expected = offsets.dropFirst().flatMap { bits[($0 - 1) * width..<$0 * width] }

      for set in instructionSets {
        CPU.override(set)
        for pool in pools {
          let out = FloatBuffer(count: sequences.count * width)
          let batch = DecodingBatch(sequences, shape, threads: pool.threads)
          attentionDecode(
            pool, shape, batch, prefixOffset: prefixes.layerStride, ownOffset: own.layerStride,
            store: (fresh.pointer + width, ld, fresh.pointer + width + kvWidth, ld), q: fresh.pointer, ldq: ld, out: out.pointer, ldo: width
          )
          #expect(out.bits == expected, "\(set), \(pool.threads) threads")
        }
      }
      CPU.override(CPU.current.best)
    }
  }
}
