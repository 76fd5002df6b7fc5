import ArgumentParser
import Execution
import Kernels
import StageInterface
import Stages

/// `heirloom exec WORK`: runs one native stage in its work directory. `heirloom exec --job BATCH`: is a job of a queueing system. Runners
/// and queues start it; people do not.
struct Exec: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the stage of a work directory, or one job of a batch.", shouldDisplay: false)

  @Argument(help: "The work directory, with its stage.json.")
  var workDirectory: String?
  @Option(help: "The file of a batch of jobs; HEIRLOOM_JOB_INDEX says which of them this is.", completion: .file(extensions: ["json"]))
  var job: String?

  func validate() throws {
    if (workDirectory == nil) == (job == nil) { throw ValidationError("either a work directory or --job") }
  }

  func run() throws {
    if let job { throw ExitCode(JobRun.run(job, program: Program.path, variables: Program.variables)) }
    guard let workDirectory else { return }
    throw ExitCode(StageRunner.execute(workDirectory: workDirectory, stages: NativeStages.all, kernel: CPU.kernelName))
  }
}
