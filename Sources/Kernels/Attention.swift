import CKernels

/// The shape of one attention layer. Query head h reads key/value head h / (heads / keyValueHeads).
package struct AttentionShape: Sendable, Equatable {
  package let heads: Int
  package let keyValueHeads: Int
  /// Length of one head's vectors; at most 256.
  package let headDimension: Int
  /// Factor on the scores q·k, usually 1/√headDimension.
  package let scale: Float

  package init(heads: Int, keyValueHeads: Int, headDimension: Int, scale: Float) {
    precondition(keyValueHeads > 0 && heads % keyValueHeads == 0, "\(heads) heads over \(keyValueHeads) key/value heads")
    precondition(headDimension > 0 && headDimension <= 256, "head dimension \(headDimension)")
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headDimension = headDimension
    self.scale = scale
  }

  /// Query heads that share a key/value head.
  package var group: Int { heads / keyValueHeads }

  var raw: hl_attention_shape { .init(heads: heads, keyValueHeads: keyValueHeads, dimension: headDimension, scale: scale) }
}

/// Which rows belong together: records packed end to end, each from position 0 or behind the rows of another record, its prompt.
package struct AttentionRecords: Sendable, Equatable {
  /// The first row of each record, and the number of rows at the end; ascending.
  package let offsets: [Int]
  /// The record whose rows come before record r's: r itself where none do.
  package let prompts: [Int]

  package init(offsets: [Int]) { self.init(offsets: offsets, prompts: Array(0..<max(0, offsets.count - 1))) }

  package init(offsets: [Int], prompts: [Int]) {
    precondition(offsets.count == prompts.count + 1, "\(offsets.count) offsets for \(prompts.count) records")
    for (record, prompt) in prompts.enumerated() where prompt != record {
      precondition(record > 0 && prompt == prompts[record - 1], "record \(record) does not lie behind its prompt, record \(prompt)")
    }
    self.offsets = offsets
    self.prompts = prompts
  }

  func withRaw(_ body: (hl_attention_records) -> Void) {
    offsets.withUnsafeBufferPointer { offsets in
      prompts.withUnsafeBufferPointer { prompts in
        body(.init(count: prompts.count, offsets: offsets.baseAddress, prompts: prompts.baseAddress))
      }
    }
  }
}

/// Causal attention over records packed end to end: out = softmax(scale · q kᵀ) v, a row attending to the rows of its record's prompt, to
/// itself and to the rows before it in its record. With T rows:
///
/// - q, out: T × heads × headDimension, rows `ldq` / `ldo` floats apart, heads adjacent. k, v: T × keyValueHeads × headDimension, rows
///   `ldk` / `ldv` apart. They may lie in one fused buffer (same ld, shifted pointers).
/// - logSumExp: T × heads, written: the natural logarithm of the row's softmax denominator, with the scale applied to the scores.
///
/// Keys are taken in blocks of 96, counted from the start of the record or of its prompt, with a running softmax. A row's bits depend only
/// on the rows it attends to: not on where they lie, on other records, or on the number of threads. So a record behind a prompt has the
/// bits of the two as one record.
package func attentionForward(
  _ pool: ThreadPool, _ shape: AttentionShape, _ records: AttentionRecords, q: UnsafePointer<Float>, ldq: Int, k: UnsafePointer<Float>,
  ldk: Int, v: UnsafePointer<Float>, ldv: Int, out: Floats, ldo: Int, logSumExp: Floats
) {
  check(shape, ldq: ldq, ldk: ldk, ldv: ldv)
  records.withRaw { records in
    hl_attention_forward(pool.handle, shape.raw, records, .init(q: q, k: k, v: v, ldq: ldq, ldk: ldk, ldv: ldv), out, ldo, logSumExp)
  }
}

/// The gradient of `attentionForward`: from dOut (T × heads × headDimension, rows `lddo` apart) writes dq, dk and dv (shaped as q, k and v;
/// rows `lddq`, `lddk`, `lddv` apart; overwritten, not added to). q, k, v, out and logSumExp are as `attentionForward` had and left them.
///
/// A prompt's dk and dv are its own plus those of each record behind it, in their order. The gradients of a prompt and the records behind
/// it do not depend on other records or on the number of threads.
package func attentionBackward(
  _ pool: ThreadPool, _ shape: AttentionShape, _ records: AttentionRecords, q: UnsafePointer<Float>, ldq: Int, k: UnsafePointer<Float>,
  ldk: Int, v: UnsafePointer<Float>, ldv: Int, out: UnsafePointer<Float>, ldo: Int, logSumExp: UnsafePointer<Float>,
  dOut: UnsafePointer<Float>, lddo: Int, dq: Floats, lddq: Int, dk: Floats, lddk: Int, dv: Floats, lddv: Int
) {
  check(shape, ldq: ldq, ldk: ldk, ldv: ldv)
  check(shape, ldq: lddq, ldk: lddk, ldv: lddv)
  records.withRaw { records in
    hl_attention_backward(
      pool.handle, shape.raw, records, .init(q: q, k: k, v: v, ldq: ldq, ldk: ldk, ldv: ldv),
      .init(out: out, logSumExp: logSumExp, dOut: dOut, ldo: ldo, lddo: lddo),
      .init(dq: dq, dk: dk, dv: dv, lddq: lddq, lddk: lddk, lddv: lddv))
  }
}

private func check(_ shape: AttentionShape, ldq: Int, ldk: Int, ldv: Int) {
  precondition(ldq >= shape.heads * shape.headDimension, "ldq \(ldq) for \(shape.heads) heads of \(shape.headDimension)")
  let width = shape.keyValueHeads * shape.headDimension
  precondition(ldk >= width && ldv >= width, "ldk \(ldk), ldv \(ldv) for \(shape.keyValueHeads) heads of \(shape.headDimension)")
}
