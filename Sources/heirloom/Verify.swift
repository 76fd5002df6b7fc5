import ArgumentParser
import Execution
import JSONValues
import Planning

/// `heirloom verify [INSTANCE…]`: computes results again in scratch and compares.
struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compute results once more, in scratch, and compare the bytes.",
    discussion: """
      Nothing in the store changes. The recipe is taken from where it was, with the params of the run. Where bytes differ it is said what was
      different: kernel, CPU, library, threads, numerics class. Status 1 when anything differs, fails or cannot be computed as it was.
      """)

  @Argument(help: "Instances or stages: 'tuned[0.001]', tuned.") var instances: [String] = []
  @Flag(help: "Every instance of the run.") var all = false
  @Option(help: "So many instances, chosen at random.") var sample: Int?
  @Option(help: "Most threads of one instance [default: its resources' cpus].") var threads: Int?
  @OptionGroup var which: RunChoiceArguments
  @OptionGroup var task: TaskArguments
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    let ways = (instances.isEmpty ? 0 : 1) + (all ? 1 : 0) + (sample == nil ? 0 : 1)
    guard ways == 1 else { throw ValidationError("say what to verify: instances, --all, or --sample n") }
    if let sample, sample < 1 { throw ValidationError("--sample must be at least 1, not \(sample)") }
    if let threads, threads < 1 { throw ValidationError("--threads must be at least 1, not \(threads)") }
  }

  func run() throws {
    _ = try which.store.existing()
    let run = try which.queries().run(which.choice)
    let recipe = try Recipe.load(run.manifest, Verification.settings(of: run), Program.planning)
    var options = RunOptions(program: Program.path, variables: Program.variables)
    options.threads = threads
    let verification = try Verification(recipe, of: run, in: which.store.path(), options: options)
    let findings = try verification.verify(chosen(run), progress: task.style) { if !json { Terminal.say($0.line) } }
    if json { Terminal.say(JSONValue.array(findings.map(\.json)).encoded(pretty: true)) }
    if !findings.allSatisfy(\.isSame) { throw ExitCode(1) }
  }

  private func chosen(_ run: RecordedRun) throws -> [RecordedRun.Instance] {
    if !instances.isEmpty { return try Verification.instances(instances, of: run) }
    let done = run.instances.filter { $0.state == "ran" || $0.state == "cached" }
    guard let sample else { return done }
    let places = Set(done.indices.shuffled().prefix(sample))
    return done.indices.filter(places.contains).map { done[$0] }
  }
}
