import ArgumentParser
import Kernels
import StageInterface
import Stages

/// `heirloom exec WORK`: runs one native stage in its work directory. The runner starts it; people do not.
struct Exec: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Run the stage of a work directory.", shouldDisplay: false)

  @Argument(help: "The work directory, with its stage.json.")
  var workDirectory: String

  func run() throws {
    throw ExitCode(StageRunner.execute(workDirectory: workDirectory, stages: NativeStages.all, kernel: CPU.kernelName))
  }
}
