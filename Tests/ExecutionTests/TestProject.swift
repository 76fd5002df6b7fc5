import Artifacts
import Execution
import Foundation
import Planning

/// A project in a directory of its own: contracts, scripts, a manifest, a store. It goes when the test is over.
final class TestProject {
  let root: String
  var store: String { root + "/artifacts" }
  var manifest: String { root + "/recipe.yaml" }

  init(in directory: String = FileManager.default.temporaryDirectory.path) throws {
    root = directory + "/heirloom-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: root + "/stages", withIntermediateDirectories: true)
    for (name, text) in Self.stages { try write(name, text) }
  }

  deinit { try? FileSystem.posix.remove(root) }

  func write(_ path: String, _ text: String) throws {
    let full = "\(root)/\(path)"
    try FileManager.default.createDirectory(atPath: (full as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: full))
  }

  func read(_ path: String) -> String? { (try? String(contentsOfFile: path.hasPrefix("/") ? path : "\(root)/\(path)", encoding: .utf8)) }

  func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path.hasPrefix("/") ? path : "\(root)/\(path)") }

  func files(in directory: String) -> [String] {
    (FileManager.default.subpaths(atPath: "\(root)/\(directory)") ?? []).filter { path in
      var isDirectory: ObjCBool = false
      return FileManager.default.fileExists(atPath: "\(root)/\(directory)/\(path)", isDirectory: &isDirectory) && !isDirectory.boolValue
    }.sorted()
  }

  // MARK: - Running

  /// The built program, beside the test bundle, with the warden beside it.
  static let program = (CommandLine.arguments[0] as NSString).deletingLastPathComponent + "/heirloom"

  /// Why hermetic stages cannot be tested here; nil when they can. Asked of a run, as a user would.
  static let unconfined: String? = {
    do {
      let project = try TestProject()
      try project.write("recipe.yaml", "heirloom: 1\nname: test\nstages: {s: {uses: say, with: {text: a}}}\n")
      return try project.run().notices.first
    } catch { return "\(error)" }
  }()

  func recipe(_ sets: [String] = []) throws -> Recipe {
    do {
      return try Recipe.load(manifest, RecipeOptions(sets: sets), PlanningEnvironment(workingDirectory: root))
    } catch { throw BadRecipe(messages: error.diagnostics.map { "\($0.message)" }) }
  }

  func options(_ change: (inout RunOptions) -> Void = { _ in }) -> RunOptions {
    var options = RunOptions(
      program: Self.program, variables: ["PATH": "/usr/bin:/bin", "HOME": root, "SECRET": "hidden"],
      machine: Machine(cpus: 2, memoryBytes: 1 << 30, gpus: ["7", "9"], processor: "test"))
    options.takesSignals = false
    options.backOffSeconds = 0.001
    change(&options)
    return options
  }

  /// As somebody asks for a run in the project's directory.
  func request(sets: [String] = [], _ change: (inout RunOptions) -> Void = { _ in }) -> RunRequest {
    RunRequest(
      manifest: manifest, recipe: RecipeOptions(sets: sets), planning: PlanningEnvironment(workingDirectory: root),
      options: options(change))
  }

  /// Runs the manifest and tells what happened to each instance.
  @discardableResult
  func run(sets: [String] = [], _ change: (inout RunOptions) -> Void = { _ in }) throws -> Happening {
    let display = RecordingProgress()
    do {
      display.happening.outcome = try request(sets: sets, change).run(in: store, display: display).outcome
    } catch let invalid as InvalidRecipe { throw BadRecipe(messages: invalid.diagnostics.map { "\($0.message)" }) }
    return display.happening
  }

  func plan(sets: [String] = [], _ change: (inout RunOptions) -> Void = { _ in }) throws -> [String] {
    try RecipePlan.make(recipe(sets), in: store, options: options(change)).lines
  }

  /// The text of an output as people see it.
  func output(_ instance: String, _ output: String) -> String? { read("\(store)/views/test/\(instance)/\(output)") }

  // MARK: - Stages

  private static let stages = [
    "stages/say.yaml": """
    stage: say
    version: 1
    summary: Writes a text.
    outputs: {text: {type: file}}
    params:
      text: {type: string}
      note: {type: string, default: "", affects: speed}
    run:
      command: [sh, "${stage.dir}/say.sh", "${outputs.text}", "${params.text}"]
      sources: [say.sh]
    """,
    "stages/say.sh": "printf '%s\\n' \"$2\" > \"$1\"\n",
    "stages/upper.yaml": """
    stage: upper
    version: 1
    summary: Writes a text in capitals.
    inputs: {text: {type: file}}
    outputs: {text: {type: file}}
    params: {mark: {type: string, default: ""}}
    run: {command: [sh, -c, 'tr a-z A-Z < "$0" > "$1"; printf "%s" "$2" >> "$1"', "${inputs.text}", "${outputs.text}", "${params.mark}"]}
    """,
    "stages/join.yaml": """
    stage: join
    version: 1
    summary: Puts texts behind one another.
    inputs: {texts: {type: file, list: true}}
    outputs: {text: {type: file}}
    run: {command: [sh, -c, 'out="$1"; shift; cat "$@" > "$out"', join, "${outputs.text}", "${inputs.texts}"]}
    """,
    "stages/script.yaml": """
    stage: script
    version: 1
    summary: Runs a shell script, with its output's path in $out.
    inputs: {text: {type: file, optional: true}, tree: {type: directory, optional: true}}
    outputs: {out: {type: file}}
    params: {script: {type: string}}
    checkpoints: true
    run:
      command: [sh, -c, 'out="$1"; in="$2"; tree="$3"; eval "$0"', "${params.script}", "${outputs.out}", "${inputs.text}", "${inputs.tree}"]
      environment: [PASSED]
      keyed_environment: [KEYED]
    """,
    "stages/tree.yaml": """
    stage: tree
    version: 1
    summary: Runs a shell script that fills the directory $out.
    outputs: {out: {type: directory}}
    params: {script: {type: string}}
    run: {command: [sh, -c, 'out="$1"; mkdir "$out"; eval "$0"', "${params.script}", "${outputs.out}"]}
    """,
  ]
}

struct BadRecipe: Error { let messages: [String] }

/// What a run did, by instance.
struct Happening {
  var ran: [String] = []
  var cached: [String] = []
  var failed: [String] = []
  var skipped: [String] = []
  var interrupted: [String] = []
  var resumed: [String] = []
  var retries: [String] = []
  var notices: [String] = []
  var warnings: [String] = []
  var problems: [String: StageProblem] = [:]
  var reasons: [String: [String]] = [:]
  var outcome: RunOutcome?
}

final class RecordingProgress: ProgressDisplay {
  var happening = Happening()

  func show(_ event: ProgressEvent) {
    switch event {
    case .cached(let name): happening.cached.append(name)
    case .started(let name, let start):
      happening.reasons[name] = start.reasons
      if start.resumes { happening.resumed.append(name) }
    case .warned(let name, let text): happening.warnings.append("\(name): \(text)")
    case .finished(let name, _): happening.ran.append(name)
    case .failed(let name, let problem):
      happening.failed.append(name)
      happening.problems[name] = problem
    case .retrying(let name, _, _, _): happening.retries.append(name)
    case .skipped(let name, _): happening.skipped.append(name)
    case .interrupted(let name): happening.interrupted.append(name)
    case .notice(let text): happening.notices.append(text)
    default: break
    }
  }
}
