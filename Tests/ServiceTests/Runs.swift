import Artifacts
import Foundation
import JSONValues
import Testing

/// A recipe with its stores in a directory that goes when the test is over.
final class Bench: Sendable {
  let root = FileManager.default.temporaryDirectory.path + "/heirloom-service-" + UUID().uuidString
  let manifest: String
  let arguments: [String]

  /// - Parameter manifest: a shipped pipeline (`pipelines/…`), or text that is written to a file of its own.
  init(_ manifest: String, _ arguments: [String] = []) throws {
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    self.arguments = arguments
    if manifest.hasPrefix("pipelines/") {
      self.manifest = Program.repository + "/" + manifest
    } else {
      try FileManager.default.copyItem(atPath: Program.stages, toPath: root + "/stages")
      self.manifest = root + "/recipe.yaml"
      try Data(manifest.utf8).write(to: URL(fileURLWithPath: self.manifest))
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  func words(_ command: String, store: String, _ more: [String] = []) -> [String] {
    [command, manifest, "--store", "\(root)/\(store)"] + arguments + more
  }

  /// Runs to the end; `more` says where.
  func run(_ store: String, _ more: String..., variables: [String: String] = [:]) throws -> Tally {
    try Tally(Program.run(words("run", store: store, ["--progress", "json"] + more), in: root, variables))
  }

  /// Begins to run.
  func start(_ store: String, _ more: String..., variables: [String: String] = [:]) throws -> Running {
    try Program.start(words("run", store: store, ["--progress", "json"] + more), in: root, variables)
  }

  /// The digests of all outputs, by key, of a store that must be in order.
  func answers(_ store: String) throws -> [String: [String]] {
    let inspection = try StoreInspection("\(root)/\(store)")
    #expect(inspection.faults == [])
    return inspection.results
  }

  /// The run that began last.
  func lastRun(_ store: String) throws -> String {
    try #require(try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(store)/runs").max())
  }
}

/// What a run said of itself with `--progress json`.
struct Tally {
  let finished: Program.Finished
  let events: [JSONValue]

  init(_ finished: Program.Finished) throws {
    self.finished = finished
    events = finished.errors.split(separator: "\n").compactMap { try? JSONValue.parse(String($0)) }
  }

  func instances(_ kind: String) -> Set<String> {
    Set(events.filter { $0["kind"] == .string(kind) }.compactMap { $0["instance"]?.stringValue })
  }

  var ran: Set<String> { instances("finished") }
  var cached: Set<String> { instances("cached") }
  func count(_ name: String) -> Int? { events.last?[name]?.integerValue }
}
