import ArgumentParser
import Execution
import Foundation

/// The command line: one file a subcommand, no logic of its own.
@main
struct Heirloom: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "heirloom",
    abstract: "Run recipes for continual post-training of language models.",
    discussion: """
      A recipe is a YAML manifest of stages. Heirloom runs what has to run, keeps every result under its content hash, and picks an
      interrupted run up where it stopped.

      Exit status: 0 done, 1 a stage failed, 2 the manifest or the command line is wrong, 3 the store is damaged or cannot be written,
      130 interrupted (run again to go on).
      """,
    version: ProgramVersion.text,
    subcommands: [
      Run.self, Plan.self, Check.self, Status.self, Log.self, Cancel.self, Show.self, Runs.self, Report.self, Serve.self,
      StagesCommand.self,
      SchemaCommand.self,
      Export.self, Import.self, Push.self, Pull.self, RemoteCommand.self, LockCommand.self, Reproduce.self, VerifyStatement.self,
      Provenance.self,
      Generate.self, Init.self, Diff.self, PinCommand.self, Unpin.self, GC.self, Fsck.self, Verify.self, Exec.self,
    ])

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let code as ExitCode {
      Foundation.exit(code.rawValue)
    } catch {
      fail(error)
    }
  }

  /// Help goes to standard output with status 0; everything else is one message on standard error with its documented status.
  private static func fail(_ error: any Error) -> Never {
    if let failure = CommandFailure(error) {
      FileHandle.standardError.write(Data(failure.text.utf8))
      Foundation.exit(failure.status)
    }
    let message = fullMessage(for: error)
    if exitCode(for: error) == .success {
      print(message)
      Foundation.exit(0)
    }
    FileHandle.standardError.write(Data((message + "\n").utf8))
    Foundation.exit(2)
  }
}
