/// What kind of thing a stage hands on. The types are few and fixed, so that a wrong connection is found before anything runs.
package enum ArtifactType: String, CaseIterable, Sendable {
  case model, adapter, dataset, suite, tokenizer, tokens, rollouts, scores, weights, fisher, optimizer, report, json, file, directory
  /// Only of an input: takes whatever it is given.
  case any

  /// Whether an artifact of this type is a directory; else it is a single file.
  package var isDirectory: Bool {
    switch self {
    case .model, .adapter, .suite, .tokenizer, .tokens, .directory: true
    case .dataset, .rollouts, .scores, .weights, .fisher, .optimizer, .report, .json, .file, .any: false
    }
  }

  /// Whether an input of this type takes an artifact of the other: its own type, a suite where a dataset is asked for, any single
  /// file where a `file` is, any directory where a `directory` is.
  package func accepts(_ other: ArtifactType) -> Bool {
    switch (self, other) {
    case (.dataset, .suite), (.any, _): true
    case (.file, _): !other.isDirectory
    case (.directory, _): other.isDirectory
    default: self == other
    }
  }
}
