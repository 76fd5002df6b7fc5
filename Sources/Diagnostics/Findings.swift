/// Collects diagnostics while work goes on, so that all errors of a text are reported and not only the first.
package struct Findings: Sendable {
  package private(set) var all: [Diagnostic] = []
  package private(set) var hasErrors = false

  package init() {}

  package var isEmpty: Bool { all.isEmpty }

  package mutating func add(_ diagnostic: Diagnostic) {
    all.append(diagnostic)
    if diagnostic.severity == .error { hasErrors = true }
  }

  package mutating func add(contentsOf other: Findings) { for diagnostic in other.all { add(diagnostic) } }

  package mutating func error(_ message: String, at location: SourceLocation?, suggestion: String? = nil, notes: [Diagnostic.Note] = []) {
    add(Diagnostic(.error, message, at: location, suggestion: suggestion, notes: notes))
  }

  package mutating func warning(_ message: String, at location: SourceLocation?, notes: [Diagnostic.Note] = []) {
    add(Diagnostic(.warning, message, at: location, notes: notes))
  }

  /// By place, each once: those without a place first, then text by text in the order in which the texts first appear.
  package var sorted: [Diagnostic] {
    var files: [ObjectIdentifier: Int] = [:]
    for diagnostic in all {
      guard let location = diagnostic.location else { continue }
      let file = ObjectIdentifier(location.source)
      files[file] = files[file] ?? files.count
    }
    let keyed = all.enumerated().map { index, diagnostic in
      let location = diagnostic.location
      let file = location.flatMap { files[ObjectIdentifier($0.source)] } ?? -1
      return (key: (file, location?.line ?? 0, location?.column ?? 0, index), diagnostic: diagnostic)
    }
    var unique: [Diagnostic] = []
    for (_, diagnostic) in keyed.sorted(by: { $0.key < $1.key }) where !unique.contains(sameAs: diagnostic) { unique.append(diagnostic) }
    return unique
  }
}

extension [Diagnostic] {
  /// Whether the same finding stands among the last ones, at the same place.
  fileprivate func contains(sameAs diagnostic: Diagnostic) -> Bool {
    for earlier in reversed() {
      guard earlier.location == diagnostic.location else { return false }
      if earlier.message == diagnostic.message { return true }
    }
    return false
  }
}
