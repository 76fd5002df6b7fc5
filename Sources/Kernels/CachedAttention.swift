import CKernels

/// A run of consecutive positions of one layer's key/value cache. Position p of key/value head h is `keys + p * rowStride + h * headStride`
/// (headDimension adjacent floats), likewise in `values`; strides in floats. So `[position][head][d]` has rowStride = keyValueHeads · d and
/// headStride = d, and `[head][position][d]` (better: a head's reads are then contiguous) has rowStride = d and headStride = capacity · d.
package struct KeyValueSegment {
  package var keys: UnsafePointer<Float>
  package var values: UnsafePointer<Float>
  package var count: Int
  package var rowStride: Int
  package var headStride: Int

  package init(keys: UnsafePointer<Float>, values: UnsafePointer<Float>, count: Int, rowStride: Int, headStride: Int) {
    self.keys = keys
    self.values = values
    self.count = count
    self.rowStride = rowStride
    self.headStride = headStride
  }
}

/// The keys and values one sequence attends to: a prefix that may be shared with other sequences (a prompt's, cached once for all its
/// samples), then its own. Either may be empty (count 0). The newest row, whose query is being answered, is the last position.
package struct KeyValueSequence {
  package var prefix: KeyValueSegment
  package var own: KeyValueSegment

  package init(prefix: KeyValueSegment, own: KeyValueSegment) {
    self.prefix = prefix
    self.own = own
  }
}

/// One new row for each of `sequences`: out = softmax(scale · q kᵀ) v over all positions of its cache, which must already hold the new
/// row's key and value. q, out: sequences.count × heads × headDimension, rows `ldq` / `ldo` floats apart.
///
/// The bits are those of `attentionForward`'s row at that position: they depend neither on the other sequences, nor on where the prefix
/// ends, nor on the strides, the threads or the instruction set.
package func attentionDecode(
  _ pool: ThreadPool, _ shape: AttentionShape, sequences: [KeyValueSequence], q: UnsafePointer<Float>, ldq: Int, out: Floats, ldo: Int
) {
  precondition(MemoryLayout<KeyValueSequence>.stride == MemoryLayout<hl_kv_sequence>.stride, "both hold ten words in the same order")
  sequences.withUnsafeBytes { bytes in
    hl_attention_decode(pool.handle, shape.raw, sequences.count, bytes.bindMemory(to: hl_kv_sequence.self).baseAddress, q, ldq, out, ldo)
  }
}
