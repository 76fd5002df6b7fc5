import ArgumentParser
import Artifacts
import Execution
import Foundation
import Planning
import Reporting
import Slurm

/// `heirloom run MANIFEST [INSTANCE…]`: runs what has to run.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a recipe: what has to run, and nothing else.",
    discussion: """
      Ctrl-C lets running stages write a checkpoint and stops; a second one ends them at once. The same command goes on from there. Jobs of \
      a queueing system go on without the run, and the same command finds them again.
      """)

  @OptionGroup var recipe: RecipeArguments
  @Argument(help: "Only these instances and what they need.") var instances: [String] = []
  @Option(help: "Instances at once [default: as many as there are processors].") var jobs: Int?
  @Option(help: "Most threads of one instance [default: its resources' cpus].") var threads: Int?
  @Flag(help: "Go on with what does not hang on a failed stage.") var keepGoing = false
  @Option(help: "Run this instance although its result is there; may be given several times.") var rerun: [String] = []
  @Option(help: "How to show what happens: auto, plain, json or none.") var progress: ProgressMode = .auto
  @Flag(help: "Write the report's page when the run is over, also when it failed, and print its path.") var report = false
  @OptionGroup var executor: ExecutorArguments
  @Flag(help: "Hand everything over to the executor and return: each job begins when those are done that it hangs on.") var submit = false
  @Flag(help: "Ctrl-C takes jobs back, with a checkpoint, instead of leaving them to themselves.") var cancelOnInterrupt = false
  @Flag(help: "Run nothing unless inputs and keys are those of the lock beside the manifest.") var locked = false
  @OptionGroup var remote: ExchangeArguments
  @OptionGroup var store: StoreArguments

  func validate() throws {
    if submit, remote.remote != nil {
      throw ValidationError("--remote is for a run that waits: the jobs of --submit look into this store alone")
    }
    if submit, report || jobs != nil || keepGoing { throw ValidationError("--report, --jobs and --keep-going are for a run that waits") }
    if let jobs, jobs < 1 { throw ValidationError("--jobs must be at least 1, not \(jobs)") }
    if let threads, threads < 1 { throw ValidationError("--threads must be at least 1, not \(threads)") }
  }

  func run() throws {
    var options = RunOptions(program: Program.path, variables: Program.variables)
    options.targets = instances
    options.reruns = rerun
    options.jobs = jobs
    options.threads = threads
    options.keepGoing = keepGoing
    try executor.apply(to: &options)
    options.cancelsJobs = cancelOnInterrupt
    let request = recipe.request(options)
    let path = store.path(request)
    if locked { try LockCheck.require(request, storePath: path) }
    if submit { return try handOver(request, path) }
    let exchange = try remote.exchange(path)
    options.exchange = exchange
    let display = progress.display(variables: Program.variables)
    let answer = try recipe.request(options).run(in: path, display: display, warn: Terminal.warn)
    if answer.outcome.exitStatus != 130 { ExchangeArguments.finish(exchange, display.taskStyle) }
    if answer.outcome.exitStatus == 0, progress != .json {
      FinalReports(recipe: answer.recipe, store: path).show(answer.reports)
    }
    if report { writeReport(of: answer.outcome.run, path) }
    throw ExitCode(answer.outcome.exitStatus)
  }

  private func handOver(_ request: RunRequest, _ path: String) throws {
    let answer = try RunHandOver.submit(request, in: path, warn: Terminal.warn)
    let cached = answer.cached > 0 ? ", \(answer.cached) cached" : ""
    let jobs = answer.jobs == 1 ? "1 job" : "\(answer.jobs) jobs"
    Terminal.say("run \(answer.run): \(jobs) in \(answer.submissions) \(answer.submissions == 1 ? "submission" : "submissions")\(cached)")
    if answer.jobs > 0 { Terminal.say("watch with 'heirloom status --watch --run \(answer.run)'") }
    guard answer.failed == 0 else {
      StandardError.line("error: \(answer.failed) \(answer.failed == 1 ? "instance" : "instances") cannot run; see 'heirloom status'")
      throw ExitCode(1)
    }
  }

  /// The run has its own exit status, whatever becomes of the page.
  private func writeReport(of run: String, _ path: String) {
    do {
      let queries = try StoreQueries(path)
      Terminal.say("report: " + (try RunReport.read(queries.run(.id(run)), queries.store).writePage(in: queries.store)))
    } catch { StandardError.line("warning: the report was not written: \(error)") }
  }
}

extension ProgressMode: ExpressibleByArgument {}
