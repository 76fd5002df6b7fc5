/// Whether the tensors of a file are those that a configuration asks for; says all that is wrong at once.
struct LayoutFit {
  private var problems: [String] = []

  private static let shown = 6

  /// `found`: names (as Hugging Face has them) and shapes.
  init(_ layout: ParameterLayout, found: [(name: String, shape: [Int])]) {
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

  /// `file`: the one whose tensors these are.
  func check(file: String) throws(ModelError) {
    guard !problems.isEmpty else { return }
    let count = problems.count
    var message =
      "\(count) tensor\(count == 1 ? " does" : "s do") not fit the configuration: " + problems.prefix(Self.shown).joined(separator: "; ")
    if count > Self.shown { message += "; and \(count - Self.shown) more" }
    throw ModelError(message, file: file)
  }
}
