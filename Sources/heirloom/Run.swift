import ArgumentParser
import Artifacts
import Execution
import Foundation
import Reporting

/// `heirloom run MANIFEST [INSTANCE…]`: runs what has to run.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a recipe: what has to run, and nothing else.",
    discussion:
      "Ctrl-C lets running stages write a checkpoint and stops; a second one ends them at once. The same command goes on from there.")

  @OptionGroup var recipe: RecipeArguments
  @Argument(help: "Only these instances and what they need.") var instances: [String] = []
  @Option(help: "Instances at once [default: as many as there are processors].") var jobs: Int?
  @Option(help: "Most threads of one instance [default: its resources' cpus].") var threads: Int?
  @Flag(help: "Go on with what does not hang on a failed stage.") var keepGoing = false
  @Option(help: "Run this instance although its result is there; may be given several times.") var rerun: [String] = []
  @Option(help: "How to show what happens: auto, plain, json or none.") var progress: ProgressMode = .auto
  @Flag(help: "Write the report's page when the run is over, also when it failed, and print its path.") var report = false
  @OptionGroup var store: StoreArguments

  func validate() throws {
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
    let request = recipe.request(options)
    let path = store.path(request)
    let answer = try request.run(in: path, display: progress.display(variables: Program.variables), warn: Terminal.warn)
    if answer.outcome.exitStatus == 0, progress != .json {
      FinalReports(recipe: answer.recipe, store: path).show(answer.reports)
    }
    if report { writeReport(of: answer.outcome.run, path) }
    throw ExitCode(answer.outcome.exitStatus)
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
