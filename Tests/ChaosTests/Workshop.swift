import Artifacts
import Execution
import Foundation
import Planning
import Testing

/// A project in a directory of its own, whose recipe is run in this process. It goes when the test is over.
final class Workshop: Sendable {
  let root = FileManager.default.temporaryDirectory.path + "/heirloom-chaos-" + UUID().uuidString
  var store: String { root + "/artifacts" }

  init(_ manifest: String = ChaosStages.commands) throws {
    for (path, text) in ChaosStages.files { try write(path, text) }
    try write("recipe.yaml", manifest)
    try write("source.txt", "a source\n")
  }

  deinit { try? FileSystem.posix.remove(root) }

  func write(_ path: String, _ text: String) throws {
    let full = "\(root)/\(path)"
    try FileManager.default.createDirectory(atPath: (full as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: full))
  }

  /// Runs the recipe to its end; on another store than the project's own if one is named.
  func run(
    _ sets: [String] = [], store: String? = nil, files: FileSystem = .posix, display: any ProgressDisplay = SilentProgress()
  ) throws -> RunOutcome {
    let recipe = try Recipe.load("\(root)/recipe.yaml", RecipeOptions(sets: sets), PlanningEnvironment(workingDirectory: root))
    var options = RunOptions(
      program: "/no/such/program", variables: ["PATH": "/usr/bin:/bin", "HOME": root],
      machine: Machine(cpus: 2, memoryBytes: 1 << 30, gpus: [], processor: "test"))
    options.takesSignals = false
    options.backOffSeconds = 0.001
    return try RecipeRun.run(recipe, in: store ?? self.store, options: options, display: display, files: files)
  }

  /// The exit status that the command line would have, and what was said of it.
  func status(_ sets: [String] = [], store: String? = nil, files: FileSystem) -> (status: Int32, words: String) {
    do {
      let notes = FailureNotes()
      let outcome = try run(sets, store: store, files: files, display: notes)
      return (outcome.exitStatus, notes.text)
    } catch let error as StoreError {
      return (3, "\(error)")
    } catch let error as SpawnFailure {
      return (3, error.message)
    } catch { return (-1, "\(error)") }
  }
}

/// Remembers what stages were blamed for.
final class FailureNotes: ProgressDisplay {
  private(set) var text = ""

  func show(_ event: ProgressEvent) {
    if case .failed(let name, let problem) = event { text += "\(name): \(problem.message)\n" }
  }
}
