import Artifacts
import Execution
import Planning
import Remotes

/// Somebody's machine: the same project as on every other one, and a store of its own.
final class Desk: Sendable {
  let scratch: Scratch
  var store: String { scratch.path + "/artifacts" }

  static let manifest = """
    heirloom: 1
    name: letters
    params: {mark: x}
    stages:
      words: {uses: say, with: {text: hello}}
      tree:  {uses: tree}
      loud:  {uses: upper, inputs: {text: words.text}}
      last:  {uses: both, inputs: {text: loud.text, tree: tree.out}, with: {mark: "${mark}"}}
    """

  private static let stages = [
    "say":
      "outputs: {text: {type: file}}\nparams: {text: {type: string}}\nrun: {command: [sh, -c, 'echo \"$0\" > \"$1\"', \"${params.text}\", \"${outputs.text}\"]}",
    "upper":
      "inputs: {text: {type: file}}\noutputs: {text: {type: file}}\nrun: {command: [sh, -c, 'tr a-z A-Z < \"$0\" > \"$1\"', \"${inputs.text}\", \"${outputs.text}\"]}",
    "tree":
      "outputs: {out: {type: directory}}\nrun: {command: [sh, -c, 'mkdir -p \"$0/in\"; echo a > \"$0/one\"; echo b > \"$0/in/two\"', \"${outputs.out}\"]}",
    "both":
      "inputs: {text: {type: file}, tree: {type: directory}}\noutputs: {text: {type: file}}\nparams: {mark: {type: string}}\nrun: {command: [sh, -c, 'cat \"$0\" \"$1/in/two\" > \"$2\"; echo \"$3\" >> \"$2\"', \"${inputs.text}\", \"${inputs.tree}\", \"${outputs.text}\", \"${params.mark}\"]}",
  ]

  init() throws {
    scratch = try Scratch()
    let files = FileSystem.posix
    try files.makeDirectory(scratch.path + "/stages")
    try files.write(Array(Self.manifest.utf8), to: scratch.path + "/recipe.yaml")
    for (name, text) in Self.stages {
      let contract = "stage: \(name)\nversion: 1\nsummary: A stage.\n\(text)\n"
      try files.write(Array(contract.utf8), to: "\(scratch.path)/stages/\(name).yaml")
    }
  }

  struct Happening: Sendable {
    let ran: [String]
    let cached: [String]
    let notices: [String]
    let status: Int32
  }

  /// Runs the recipe on a thread of its own, for a run blocks.
  func run(sets: [String] = [], _ exchange: RunExchange? = nil) async throws -> Happening {
    let outcome: Result<Happening, any Error> = await withCheckedContinuation { continuation in
      startThread { continuation.resume(returning: Result { try self.runHere(sets, exchange) }) }
    }
    return try outcome.get()
  }

  private func runHere(_ sets: [String], _ exchange: RunExchange?) throws -> Happening {
    var options = RunOptions(
      program: "/nowhere/heirloom", variables: ["PATH": "/usr/bin:/bin", "HOME": scratch.path],
      machine: Machine(cpus: 2, memoryBytes: 1 << 30, processor: "test"))
    options.takesSignals = false
    options.exchange = exchange
    let display = Recorder()
    let request = RunRequest(
      manifest: scratch.path + "/recipe.yaml", recipe: RecipeOptions(sets: sets),
      planning: PlanningEnvironment(workingDirectory: scratch.path),
      options: options)
    let answer = try request.run(in: store, display: display)
    return Happening(
      ran: display.ran.sorted(), cached: display.cached.sorted(), notices: display.notices.filter { !$0.hasPrefix("command stages see") },
      status: answer.outcome.exitStatus)
  }
}

private final class Recorder: ProgressDisplay {
  var ran: [String] = []
  var cached: [String] = []
  var notices: [String] = []

  func show(_ event: ProgressEvent) {
    switch event {
    case .finished(let name, _): ran.append(name)
    case .cached(let name): cached.append(name)
    case .notice(let text): notices.append(text)
    default: break
    }
  }
}
