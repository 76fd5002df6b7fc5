import ArgumentParser
import Execution

/// `heirloom cancel`: takes back what a run has in a queue.
struct Cancel: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Take back the jobs of a run: those that wait go, those that run keep a checkpoint.")

  @OptionGroup var which: RunChoiceArguments
  @OptionGroup var site: SiteArguments

  func run() throws {
    let queries = try which.queries()
    let run = try queries.run(which.choice)
    guard let jobs = try RunJobs(run: run.id, in: queries.store) else {
      throw CommandFailure.usage("run \(run.id) has no jobs; a run that goes on here is stopped by Ctrl-C")
    }
    let count = try jobs.withdraw(QueueSystems(site: site.load()).open)
    Terminal.say(count == 0 ? "no job of run \(run.id) is left" : "\(count) \(count == 1 ? "job" : "jobs") of run \(run.id) asked to stop")
  }
}
