import Artifacts
import Execution
import Foundation
import Glibc
import JSONValues
import Planning
import Sharing
import Testing

/// A project of command stages with a recipe, a source and a store, whose stages take milliseconds.
final class SharedProject {
  let scratch: ScratchDirectory
  let root: String

  /// The built program, beside the test bundle or named by HEIRLOOM_PROGRAM, with the warden beside it.
  static let program: String? = {
    let directory = (CommandLine.arguments[0] as NSString).deletingLastPathComponent
    let places = [ProcessInfo.processInfo.environment["HEIRLOOM_PROGRAM"], directory + "/heirloom"]
    return places.compactMap { $0 }.first {
      access($0, X_OK) == 0 && access(($0 as NSString).deletingLastPathComponent + "/heirloom-warden", X_OK) == 0
    }
  }()

  init() throws {
    scratch = try ScratchDirectory()
    root = scratch.path + "/project"
    for (name, text) in Self.files { try scratch.write("project/" + name, text) }
  }

  static let recipe = """
    heirloom: 1
    name: letters
    numerics: portable
    params: {again: 2}
    stages:
      upper:  {uses: upper, inputs: {text: ./words.txt}}
      lines:  {uses: lines, inputs: {text: upper.text}}
      twice:  {uses: times, inputs: {text: upper.text}, with: {count: "${again}"}}
      other:  {uses: upper, inputs: {text: ./other}}
      all:    {uses: join, inputs: {texts: [twice.text, lines.text, other.text]}}

    """

  private static func contract(_ name: String, _ inputs: String, _ rest: String = "", _ words: String) -> String {
    """
    stage: \(name)
    version: 1
    inputs: {\(inputs)}
    outputs: {text: {type: file}}
    \(rest)
    run: {command: [sh, "${stage.dir}/\(name).sh", \(words), "${outputs.text}"], sources: [\(name).sh]}

    """
  }

  static let files: [(String, String)] = [
    ("recipe.yaml", recipe), ("words.txt", "one\ntwo\n"), ("other/words.txt", "three\n"), ("unused.txt", "nobody takes this\n"),
    ("stages/upper.yaml", contract("upper", "text: {type: [file, directory]}", "", "\"${inputs.text}\"")),
    ("stages/upper.sh", "if [ -d $1 ]; then cat $1/*; else cat $1; fi | tr a-z A-Z >$2\n"),
    ("stages/lines.yaml", contract("lines", "text: {type: file}", "", "\"${inputs.text}\"")),
    ("stages/lines.sh", "wc -l <$1 >$2\n"),
    (
      "stages/times.yaml",
      contract("times", "text: {type: file}", "params: {count: {type: integer}}", "\"${params.count}\", \"${inputs.text}\"")
    ),
    ("stages/times.sh", "for i in $(seq $1); do cat $2; done >$3\n"),
    ("stages/join.yaml", contract("join", "texts: {type: file, list: true}", "", "\"${outputs.text}\", \"${inputs.texts}\"")),
    ("stages/join.sh", "out=$1; shift; for f in \"$@\"; do [ $f = $out ] || cat $f; done >$out\n"),
  ]

  // MARK: - What people do with it

  func options() throws -> RunOptions {
    var options = RunOptions(
      program: try #require(Self.program, "the program has to be built"), variables: ["PATH": "/usr/bin:/bin", "HOME": root],
      machine: Machine(cpus: 2, memoryBytes: 1 << 30, gpus: [], processor: "test"))
    options.takesSignals = false
    return options
  }

  func request(sets: [String] = []) throws -> RunRequest {
    RunRequest(
      manifest: root + "/recipe.yaml", recipe: RecipeOptions(sets: sets), planning: PlanningEnvironment(workingDirectory: root),
      options: try options())
  }

  var store: String { root + "/artifacts" }

  func run() throws {
    let outcome = try request().run(in: store, display: SilentProgress()).outcome
    try #require(outcome.exitStatus == 0)
  }

  func lock(sets: [String] = []) throws -> RecipeLock {
    try LockMaking(PlannedRecipe(request(sets: sets)), storePath: store, variables: options().variables).make()
  }

  func compare(_ lock: RecipeLock, sets: [String] = []) throws -> LockComparison {
    try LockComparison(PlannedRecipe(request(sets: sets)), with: lock, storePath: store, variables: options().variables)
  }

  func package(_ artifacts: RecipeCollection.Artifacts = .none) throws -> RecipePackage {
    try RecipeCollection.collect(PlannedRecipe(request()), lock(), artifacts, storePath: store)
  }

  func reproduce(
    _ source: RecipeSource, _ selection: Selection = .all, trusting: Bool = false
  ) throws -> Reproduction.Outcome {
    let directory = scratch.path + "/again-" + UUID().uuidString
    try FileSystem.posix.makeDirectory(directory)
    var request = Reproduction.Request(options: try options())
    request.selection = selection
    request.trustsInputs = trusting
    return try Reproduction(source, scratch: directory, request).run(display: SilentProgress())
  }

  func edit(_ name: String, _ old: String, _ new: String) throws {
    let text = String(decoding: try #require(try scratch.read("project/" + name)), as: UTF8.self)
    try #require(text.contains(old))
    try scratch.write("project/" + name, text.replacing(old, with: new))
  }
}

/// Nobody watches.
private final class SilentProgress: ProgressDisplay {
  func show(_ event: ProgressEvent) {}
}
