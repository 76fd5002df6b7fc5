import CKernels

/// A run of consecutive positions of one layer's key/value cache. Position p of key/value head h is `keys + p * rowStride + h * headStride`
/// (headDimension adjacent floats), likewise in `values`; strides in floats. So `[position][head][d]` has rowStride = keyValueHeads · d and
/// headStride = d, and `[head][position][d]` (better: a head's reads are then contiguous) has rowStride = d and headStride = capacity · d.
package struct KeyValueSegment {
  package var keys: Floats
  package var values: Floats
  package var count: Int
  package var rowStride: Int
  package var headStride: Int

  package init(keys: Floats, values: Floats, count: Int, rowStride: Int, headStride: Int) {
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

/// The sequences of one decoding step, in runs that are worked on together: neighbours with the same prefix, which is read once for a run.
package struct DecodingBatch {
  package let sequences: [KeyValueSequence]
  /// Run r is sequences `runs[r]..<runs[r + 1]`.
  let runs: [Int]

  package init(_ sequences: [KeyValueSequence], _ shape: AttentionShape, threads: Int) {
    self.sequences = sequences
    // As many rows as a block of queries has, unless that leaves threads without work.
    let most = max(1, hl_attention_queries / shape.group)
    let longest = max(1, min(most, sequences.count * shape.keyValueHeads / (4 * threads)))
    var runs = [0]
    for index in sequences.indices.dropFirst()
    where index - runs[runs.count - 1] >= longest || !sequences[index].sharesPrefix(with: sequences[index - 1]) {
      runs.append(index)
    }
    if !sequences.isEmpty { runs.append(sequences.count) }
    self.runs = runs
  }
}

extension KeyValueSequence {
  fileprivate func sharesPrefix(with other: KeyValueSequence) -> Bool {
    prefix.count == other.prefix.count && prefix.keys == other.prefix.keys && prefix.count > 0
  }
}

/// One new row for each sequence of the batch: out = softmax(scale · q kᵀ) v over all positions of its cache. q, out: sequences × heads ×
/// headDimension, rows `ldq` / `ldo` floats apart.
///
/// - store: the rows' keys and values (sequences × keyValueHeads × headDimension, rows `ldk` / `ldv` apart), which are stored as each
///   sequence's last own position first; nil where the caches hold them already.
/// - prefixOffset, ownOffset: floats to add to all pointers of the segments, to reach another layer of caches that are laid out alike.
///
/// The bits are those of `attentionForward`'s row at that position: they depend neither on the other sequences, nor on where the prefix
/// ends, nor on the strides, the threads or the instruction set.
package func attentionDecode(
  _ pool: ThreadPool, _ shape: AttentionShape, _ batch: DecodingBatch, prefixOffset: Int = 0, ownOffset: Int = 0,
  store: (k: Floats, ldk: Int, v: Floats, ldv: Int)? = nil, q: UnsafePointer<Float>, ldq: Int, out: Floats,
  ldo: Int
) {
  precondition(MemoryLayout<KeyValueSequence>.stride == MemoryLayout<hl_kv_sequence>.stride, "both hold ten words in the same order")
  let rows = store.map { hl_kv_rows(k: $0.k, v: $0.v, ldk: $0.ldk, ldv: $0.ldv) } ?? hl_kv_rows()
  batch.sequences.withUnsafeBytes { bytes in
    batch.runs.withUnsafeBufferPointer { runs in
      let raw = hl_kv_batch(
        sequences: bytes.bindMemory(to: hl_kv_sequence.self).baseAddress, prefixOffset: prefixOffset, ownOffset: ownOffset,
        runs: runs.baseAddress, runCount: runs.count - 1)
      hl_attention_decode(pool.handle, shape.raw, raw, rows, q, ldq, out, ldo)
    }
  }
}

/// The same for sequences whose caches hold the new rows.
package func attentionDecode(
  _ pool: ThreadPool, _ shape: AttentionShape, sequences: [KeyValueSequence], q: UnsafePointer<Float>, ldq: Int, out: Floats, ldo: Int
) {
  attentionDecode(
    pool, shape, DecodingBatch(sequences, shape, threads: pool.threads), q: q, ldq: ldq, out: out, ldo: ldo)
}
