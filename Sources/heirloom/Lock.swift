import ArgumentParser
import Artifacts
import Execution
import Foundation
import JSONValues
import Sharing

/// `heirloom lock MANIFEST`: writes down what the recipe came to.
struct LockCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lock", abstract: "Write down inputs, keys and results of a recipe, beside its manifest.",
    discussion: """
      RECIPE.lock holds every source by digest, every instance with its key and what the key is made of, and the digests of results that are in
      the store. Nothing is run. The same state is the same text; keep it under version control. `run --locked` then refuses what differs,
      and `reproduce` computes the recipe again and compares. With --check nothing is written: status 1 when something differs.
      """)

  @OptionGroup var recipe: RecipeArguments
  @Flag(help: "Compare with the lock that is there; write nothing.") var check = false
  @OptionGroup var store: StoreArguments
  @OptionGroup var task: TaskArguments
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let request = recipe.request(RunOptions(program: Program.path, variables: Program.variables))
    let planned = try PlannedRecipe(request)
    Terminal.warn(planned.recipe.warnings)
    let path = store.path(request)
    if check { return try compare(planned, path) }
    let making = try LockMaking(planned, storePath: path, variables: Program.variables)
    let lock = try TaskProgress.during(making.meter, task.style) { try making.make() }
    try OutputFile.write(lock.bytes, to: planned.lockPath)
    if json { return Terminal.say(Self.summary(lock, planned.lockPath).encoded(pretty: true)) }
    Terminal.say(Terminal.shortened(planned.lockPath) + "  " + Self.text(lock))
  }

  private func compare(_ planned: PlannedRecipe, _ path: String) throws {
    let lock = try LockCheck.read(planned.lockPath)
    let comparison = try LockComparison(planned, with: lock, storePath: path, variables: Program.variables)
    if json {
      Terminal.say(comparison.json.encoded(pretty: true))
    } else if comparison.isSame {
      Terminal.say(Terminal.shortened(planned.lockPath) + "  holds")
    } else {
      for line in comparison.lines { Terminal.say(line) }
    }
    if !comparison.isSame { throw ExitCode(1) }
  }

  private static func text(_ lock: RecipeLock) -> String {
    let sources = "\(lock.sources.count) source" + (lock.sources.count == 1 ? "" : "s")
    var text = "\(lock.instances.count) instances, \(sources); \(lock.lockedInstances) with results"
    if lock.lockedInstances < lock.instances.count { text += " (run the recipe and lock again for the rest)" }
    return text
  }

  private static func summary(_ lock: RecipeLock, _ path: String) -> JSONValue {
    [
      "lock": .string(path), "digest": .string(lock.digest.text), "instances": .integer(lock.instances.count),
      "with_results": .integer(lock.lockedInstances), "sources": .integer(lock.sources.count),
    ]
  }
}

/// What `--locked` asks for.
enum LockCheck {
  static func read(_ path: String) throws -> RecipeLock {
    guard FileManager.default.fileExists(atPath: path) else {
      throw CommandFailure.usage("there is no lock at \(Terminal.shortened(path)); `heirloom lock` makes one")
    }
    return try RecipeLock(reading: StatementFiles.read(path, limit: RecipeLock.mostBytes), at: Terminal.shortened(path))
  }

  /// The lock beside the manifest, where it holds and knows at least as many results as can be told from the store; else the one made now.
  static func best(_ made: RecipeLock, _ planned: PlannedRecipe, storePath: String) throws -> RecipeLock {
    guard FileManager.default.fileExists(atPath: planned.lockPath) else { return made }
    let lock = try read(planned.lockPath)
    guard lock.lockedInstances >= made.lockedInstances else { return made }
    return try LockComparison(planned, with: lock, storePath: storePath, variables: Program.variables).isSame ? lock : made
  }

  /// Status 1, and every difference on standard error, where sources, params or keys are not those of the lock.
  static func require(_ request: RunRequest, storePath: String) throws {
    let planned = try PlannedRecipe(request)
    let lock = try read(planned.lockPath)
    let comparison = try LockComparison(planned, with: lock, storePath: storePath, variables: Program.variables)
    guard comparison.changesKeys else { return }
    for line in comparison.lines { StandardError.line("error: " + line) }
    StandardError.line("error: \(Terminal.shortened(planned.lockPath)) does not hold, and --locked was asked for; nothing was run")
    throw ExitCode(1)
  }
}
