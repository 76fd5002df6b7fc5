import Kernels

/// One sequence's next step: a token, and where its past lies.
package struct DecodingRow: Sendable {
  /// The token that is fed.
  package var token: Int32
  /// Slot and length of the prompt's keys and values, which other sequences may share.
  package var prefixSlot: Int
  package var prefixCount: Int
  /// Slot of the sequence's own keys and values, and how many it holds before this token.
  package var ownSlot: Int
  package var ownCount: Int

  package init(token: Int32, prefixSlot: Int, prefixCount: Int, ownSlot: Int, ownCount: Int) {
    self.token = token
    self.prefixSlot = prefixSlot
    self.prefixCount = prefixCount
    self.ownSlot = ownSlot
    self.ownCount = ownCount
  }

  var position: Int32 { Int32(prefixCount + ownCount) }
}

/// Generation's two passes: prompts all at once, then one token of each sequence a step. A row's bits depend on its own past alone: not on
/// the other rows, their number or the number of threads.
extension Transformer {
  /// Runs whole prompts and keeps their keys and values: record r of the batch in slot `slots[r]`.
  package func prefill(_ batch: TokenBatch, slots: [Int], _ cache: KeyValueCache, _ a: Activations) {
    precondition(slots.count == batch.records, "\(slots.count) slots for \(batch.records) prompts")
    forward(batch, a) { [pool] layer, views in
      pool.run(batch.records) { record in
        let start = batch.offsets[record]
        for row in start..<batch.offsets[record + 1] {
          cache.store(
            layer: layer, slot: slots[record], position: row - start, key: views.key + row * views.ldk,
            value: views.value + row * views.ldv)
        }
      }
    }
  }

  /// One step of each row: stores its keys and values in `own` and leaves its residual stream in `a`.
  package func decode(_ rows: [DecodingRow], prefixes: KeyValueCache, own: KeyValueCache, _ a: Activations) {
    let c = configuration
    let positions = rows.map(\.position)
    precondition(rows.count <= a.maximumTokens, "\(rows.count) rows in activations for \(a.maximumTokens)")
    precondition(positions.allSatisfy { $0 < maximumPositions }, "a sequence longer than \(maximumPositions) positions")
    Embedding.forward(
      pool, rows: rows.count, width: c.hiddenSize, tokens: rows.map(\.token), table: weights.tensors.embedding, y: a.finalStream)
    let batch = batch(rows, prefixes: prefixes, own: own)
    let pass = AdapterPass(memory: a.adapters, dropout: nil)
    for (index, layer) in weights.layers.enumerated() {
      let at = a.layer(index)
      forwardProjections(layer, rows.count, input: at.input, copy: at.middle, a.normal.pointer, at.projection, pass)
      let views = projectionViews(at.projection, a.rotated)
      rotate(layer, rows.count, positions, at.projection, views)
      attentionDecode(
        pool, attention, batch, prefixOffset: index * prefixes.layerStride, ownOffset: index * own.layerStride,
        store: (views.key, views.ldk, views.value, views.ldv), q: views.query, ldq: views.ldq, out: at.mixture, ldo: c.queryWidth)
      layer.output.forward(
        pool, rows: rows.count, x: at.mixture, ldx: c.queryWidth, y: at.middle, ldy: c.hiddenSize, accumulate: true, pass)
      forwardMLP(layer, rows.count, a.normal.pointer, at.middle, at.gate, a.inner.pointer, at.output, pass)
    }
  }

  /// The logits that follow the given rows of the last pass, a block at a time: `body` gets the range of `rows` and (count, vocabulary)
  /// floats that it may overwrite.
  package func logits(after rows: [Int32], _ a: Activations, _ body: (Range<Int>, Floats) -> Void) {
    let c = configuration
    for start in stride(from: 0, to: rows.count, by: a.headRows) {
      let range = start..<min(rows.count, start + a.headRows)
      rows.withUnsafeBufferPointer { rows in
        guard let rows = rows.baseAddress else { return }
        RMSNorm.forwardGathered(
          pool, indices: rows + start, rows: range.count, width: c.hiddenSize, x: a.finalStream, gamma: weights.tensors.norm,
          epsilon: epsilon, y: a.gathered.pointer)
      }
      weights.head.multiply(
        pool, rows: range.count, x: a.gathered.pointer, ldx: c.hiddenSize, y: a.logits.pointer, ldy: c.vocabularySize)
      body(range, a.logits.pointer)
    }
  }

  /// Where the first layer's keys and values lie, the new ones counted. Sequences of one prompt want to be neighbours: then its cache is
  /// read once for them.
  private func batch(_ rows: [DecodingRow], prefixes: KeyValueCache, own: KeyValueCache) -> DecodingBatch {
    let sequences = rows.map { row in
      precondition(row.ownCount < own.capacity, "position \(row.ownCount) in a cache for \(own.capacity)")
      return KeyValueSequence(
        prefix: prefixes.segment(layer: 0, slot: row.prefixSlot, count: row.prefixCount),
        own: own.segment(layer: 0, slot: row.ownSlot, count: row.ownCount + 1))
    }
    return DecodingBatch(sequences, attention, threads: pool.threads)
  }
}
