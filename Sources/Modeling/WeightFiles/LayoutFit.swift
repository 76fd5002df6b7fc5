/// Whether the tensors of a file are those that a configuration asks for; says all that is wrong at once.
struct LayoutFit {
  private var problems: [String] = []

  private static let shown = 6

  /// The layout that a configuration asks for, when these are its tensors; `file`: where they were found. Nothing is laid out for sizes that
  /// no file of this many tensors can have, so a damaged configuration costs neither time nor memory.
  static func layout(
    of configuration: ModelConfiguration, found: [(name: String, shape: [Int])], file: String
  ) throws(ModelError) -> ParameterLayout {
    guard configuration.layers <= found.count else {
      throw ModelError("the configuration asks for \(configuration.layers) layers, but there are \(found.count) tensors", file: file)
    }
    let c = configuration
    let matrices: [(String, [Int])] = [
      ("vocab_size × hidden_size", [c.vocabularySize, c.hiddenSize]),
      ("intermediate_size × hidden_size", [c.intermediateSize, c.hiddenSize]),
      ("num_attention_heads × head_dim × hidden_size", [c.heads, c.headDimension, c.hiddenSize]),
    ]
    for (name, sizes) in matrices where sizes.reduce(1.0, { $0 * Double($1) }) > largestMatrix {
      throw ModelError(
        "the configuration asks for a matrix of \(name) = \(sizes.map(String.init).joined(separator: " × ")) weights", file: file)
    }
    let layout = ParameterLayout(configuration)
    try LayoutFit(layout, found: found).check(file: file)
    return layout
  }

  /// In weights; ten times the largest in any published model.
  private static let largestMatrix = 0x1p36

  /// `found`: names (as Hugging Face has them) and shapes.
  private init(_ layout: ParameterLayout, found: [(name: String, shape: [Int])]) {
    var seen: Set<String> = []
    for (name, shape) in found {
      guard let entry = layout[name] else {
        problems.append("unexpected '\(name)' \(shape)")
        continue
      }
      seen.insert(name)
      if entry.shape != shape { problems.append("'\(name)' is \(shape) where the configuration asks for \(entry.shape)") }
    }
    for entry in layout.entries where !seen.contains(entry.name) { problems.append("missing '\(entry.name)' \(entry.shape)") }
  }

  private func check(file: String) throws(ModelError) {
    guard !problems.isEmpty else { return }
    let count = problems.count
    var message =
      "\(count) tensor\(count == 1 ? " does" : "s do") not fit the configuration: " + problems.prefix(Self.shown).joined(separator: "; ")
    if count > Self.shown { message += "; and \(count - Self.shown) more" }
    throw ModelError(message, file: file)
  }
}
