import Modeling

/// Whether the configurations of two models have the same shapes; says both figures where they do not.
enum ConfigurationComparison {
  /// `name`: what errors call the first.
  static func check(_ base: String, named name: String, _ other: String) throws(ModelError) {
    let a = try ModelDirectory.configuration(base)
    let b = try ModelDirectory.configuration(other)
    guard a.vocabularySize == b.vocabularySize else {
      throw ModelError(
        "has a vocabulary of \(b.vocabularySize), \(name) one of \(a.vocabularySize): their weights cannot be averaged", file: other)
    }
    guard a.family == b.family else { throw ModelError("is of family \(b.family.rawValue), \(name) of \(a.family.rawValue)", file: other) }
    let sizes: [(String, Int, Int)] = [
      ("hidden_size", a.hiddenSize, b.hiddenSize), ("intermediate_size", a.intermediateSize, b.intermediateSize),
      ("num_hidden_layers", a.layers, b.layers), ("num_attention_heads", a.heads, b.heads),
      ("num_key_value_heads", a.keyValueHeads, b.keyValueHeads), ("head_dim", a.headDimension, b.headDimension),
    ]
    for (key, ofBase, ofOther) in sizes where ofBase != ofOther {
      throw ModelError("has \(key) \(ofOther), \(name) \(ofBase)", file: other)
    }
  }
}
