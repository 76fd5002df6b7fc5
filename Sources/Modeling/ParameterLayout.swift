/// Where each tensor of a model lies in the flat parameter arena: names and shapes as Hugging Face writes them. Query, key and value of
/// one layer are adjacent, and so are gate and up, so that each trio or pair is one matrix product. Knows nothing of values.
package struct ParameterLayout: Sendable, Equatable {
  package struct Entry: Sendable, Equatable {
    /// "model.layers.0.self_attn.q_proj.weight"
    package let name: String
    /// `[out, in]` of a linear layer, `[vocabulary, hidden]` of the embedding, `[n]` of a norm or bias.
    package let shape: [Int]
    /// In floats from the start of the arena.
    package let offset: Int

    package var count: Int { shape.reduce(1, *) }
    package var range: Range<Int> { offset..<offset + count }
    /// Weight decay applies to matrices; not to norms and biases (as the HF Trainer has it).
    package var isDecayed: Bool { shape.count > 1 }
  }

  package let entries: [Entry]
  /// Floats in the arena, with the padding that puts groups on 64-byte lines. Padding is zero and stays zero.
  package let count: Int
  private let indexByName: [String: Int]

  package init(_ configuration: ModelConfiguration) {
    var plan = Plan()
    let c = configuration
    plan.group([("model.embed_tokens.weight", [c.vocabularySize, c.hiddenSize])])
    for layer in 0..<c.layers { plan.layer(layer, c) }
    plan.group([("model.norm.weight", [c.hiddenSize])])
    if !c.tieEmbeddings { plan.group([("lm_head.weight", [c.vocabularySize, c.hiddenSize])]) }
    self.init(plan.entries, count: plan.next)
  }

  /// Tensors of any kind: those of one group follow each other without a gap, and each group starts on a 64-byte line. Names must differ.
  package init(groups: [[(name: String, shape: [Int])]]) {
    var plan = Plan()
    for group in groups { plan.group(group) }
    self.init(plan.entries, count: plan.next)
  }

  /// Some of these tensors: those that stood next to each other still do, at the same distance. All of them give this layout.
  package func selecting(_ picks: (Entry) -> Bool) -> ParameterLayout {
    var kept: [Entry] = []
    var end = 0
    var previous: Int?
    for (index, entry) in entries.enumerated() where picks(entry) {
      if let previous, previous == index - 1 {
        end += entry.offset - entries[previous].range.upperBound
      } else {
        // Where lines of 64 bytes begin stays where it was.
        end = (end + 15) / 16 * 16 + entry.offset % 16
      }
      kept.append(Entry(name: entry.name, shape: entry.shape, offset: end))
      end += entry.count
      previous = index
    }
    return ParameterLayout(kept, count: kept.count == entries.count ? count : end)
  }

  private init(_ entries: [Entry], count: Int) {
    self.entries = entries
    self.count = count
    indexByName = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.name, $0) })
  }

  package subscript(name: String) -> Entry? { indexByName[name].map { entries[$0] } }

  /// Parameters without the padding.
  package var parameterCount: Int { entries.reduce(0) { $0 + $1.count } }

  private struct Plan {
    var entries: [Entry] = []
    var next = 0

    /// Tensors that follow each other without a gap; the group starts on a 64-byte line.
    mutating func group(_ tensors: [(String, [Int])]) {
      next = (next + 15) / 16 * 16
      for (name, shape) in tensors {
        let entry = Entry(name: name, shape: shape, offset: next)
        entries.append(entry)
        next += entry.count
      }
    }

    mutating func layer(_ index: Int, _ c: ModelConfiguration) {
      let prefix = "model.layers.\(index)."
      let attention = prefix + "self_attn."
      let widths = [("q", c.queryWidth), ("k", c.keyValueWidth), ("v", c.keyValueWidth)]
      group([(prefix + "input_layernorm.weight", [c.hiddenSize])])
      group(widths.map { (attention + "\($0.0)_proj.weight", [$0.1, c.hiddenSize]) })
      if c.attentionBias { group(widths.map { (attention + "\($0.0)_proj.bias", [$0.1]) }) }
      if c.headNorm {
        group([(attention + "q_norm.weight", [c.headDimension])])
        group([(attention + "k_norm.weight", [c.headDimension])])
      }
      group([(attention + "o_proj.weight", [c.hiddenSize, c.queryWidth])])
      group([(prefix + "post_attention_layernorm.weight", [c.hiddenSize])])
      group(["gate", "up"].map { (prefix + "mlp.\($0)_proj.weight", [c.intermediateSize, c.hiddenSize]) })
      group([(prefix + "mlp.down_proj.weight", [c.hiddenSize, c.intermediateSize])])
    }
  }
}
