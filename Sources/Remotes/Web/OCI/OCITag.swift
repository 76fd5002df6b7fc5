import Hashing

/// How documents are called in a registry, which knows tags alone, 128 characters of each. A run has the name that people gave it; all
/// else has its kind before its name, and what is too long is called by its digest.
package enum OCITag {
  /// Names of recipes that are spelled like our own tags, or like those that registries make for referrers.
  private static let reserved = ["result-", "statement-", "run-", "recipe-", "tag-", "sha256-"]

  package static func of(_ document: RemoteDocument) -> String {
    switch document.kind {
    case .results: fitting("result-", document.name)
    case .statements: fitting("statement-", document.name)
    case .recipes: fitting("recipe-", document.name)
    case .tags: reserved.contains { document.name.hasPrefix($0) } ? fitting("tag-", document.name) : document.name
    }
  }

  /// The run's own manifest, beside the index that has its name. With a tag of its own no registry takes it for rubbish.
  package static func run(_ document: RemoteDocument) -> String { fitting("run-", document.name) }

  private static func fitting(_ prefix: String, _ name: String) -> String {
    let tag = prefix + name
    return tag.utf8.count <= 128 ? tag : "\(prefix)x-\(Digest(hashing: name).hex)"
  }

  /// The document of that kind that a tag is; nil for other kinds, other people's tags, and names that were too long.
  package static func document(_ tag: String, _ kind: RemoteDocument.Kind) -> RemoteDocument? {
    let name: String? =
      switch kind {
      case .results: tag.hasPrefix("result-") ? String(tag.dropFirst(7)) : nil
      case .statements: tag.hasPrefix("statement-") ? String(tag.dropFirst(10)) : nil
      case .recipes: tag.hasPrefix("recipe-") ? String(tag.dropFirst(7)) : nil
      case .tags: tag.hasPrefix("tag-") ? String(tag.dropFirst(4)) : reserved.contains { tag.hasPrefix($0) } ? nil : tag
      }
    guard let document = name.flatMap({ RemoteDocument(kind, $0) }), of(document) == tag, !document.name.hasPrefix("x-") else { return nil }
    return document
  }
}
