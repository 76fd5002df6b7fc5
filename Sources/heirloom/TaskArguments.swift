import ArgumentParser
import Artifacts
import Execution

/// How long work of a command is shown on standard error while it lasts.
struct TaskArguments: ParsableArguments {
  @Flag(help: "Show no progress.") var quiet = false

  var style: TaskProgress.Style { .detect(isQuiet: quiet, variables: Program.variables) }

  /// Does work that tells a meter how far it is.
  func watch<Result, Failure: Error>(_ work: (WorkMeter) throws(Failure) -> Result) throws(Failure) -> Result {
    let meter = WorkMeter()
    return try TaskProgress.during(meter, style) { () throws(Failure) in try work(meter) }
  }
}
