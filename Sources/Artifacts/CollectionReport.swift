import JSONValues

/// What a collection removed, or would have.
package struct CollectionReport: Sendable, Equatable {
  package let isDryRun: Bool
  package internal(set) var objects = 0
  package internal(set) var trees = 0
  package internal(set) var workDirectories = 0
  package internal(set) var temporaries = 0
  /// Ids.
  package internal(set) var runs: [String] = []
  /// Bytes of files that are gone; directories and names are not counted.
  package internal(set) var bytes = 0
  package internal(set) var keptObjects = 0
  package internal(set) var keptBytes = 0
  /// Objects that nothing needs and that are too young to go.
  package internal(set) var youngObjects = 0

  init(isDryRun: Bool) { self.isDryRun = isDryRun }

  package var json: JSONValue {
    [
      "dry_run": .bool(isDryRun), "bytes": .integer(bytes), "objects": .integer(objects), "trees": .integer(trees),
      "work_directories": .integer(workDirectories), "temporaries": .integer(temporaries), "runs": .array(runs.map(JSONValue.string)),
      "kept_objects": .integer(keptObjects), "kept_bytes": .integer(keptBytes), "young_objects": .integer(youngObjects),
    ]
  }

  package var lines: [String] {
    var things = [(objects, "object"), (trees, "tree"), (runs.count, "run")].filter { $0.0 > 0 }.map { Count.text($0.0, $0.1) }
    if workDirectories > 0 { things.append("\(workDirectories) work director\(workDirectories == 1 ? "y" : "ies")") }
    if temporaries > 0 { things.append(Count.text(temporaries, "temporary file")) }
    let verb = isDryRun ? "would free" : "freed"
    let young = youngObjects > 0 ? "; \(Count.text(youngObjects, "object")) that nothing needs: too young to go" : ""
    return [
      things.isEmpty ? "nothing to remove" : "\(verb) \(ByteCount.text(bytes)): \(things.joined(separator: ", "))",
      "kept \(Count.text(keptObjects, "object")) (\(ByteCount.text(keptBytes)))\(young)",
    ]
  }
}
