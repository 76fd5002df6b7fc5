import ArgumentParser
import Artifacts
import Execution
import JSONValues

/// `heirloom fsck`: looks whether everything in the store is what it is called.
struct Fsck: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check the store: hash every object again, hold every result against its key.",
    discussion: """
      Safe beside runs. Damage is reported with what hangs on it, and status 3. With --repair it is set aside in damaged/, and the next run
      computes again what is missing; then the status is 0.
      """)

  @Flag(help: "Set aside what is damaged, so that it is computed again.") var repair = false
  @Option(help: "Objects that are hashed at once [default: as many as there are processors].") var jobs: Int?
  @OptionGroup var store: StoreArguments
  @OptionGroup var task: TaskArguments
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    if let jobs, jobs < 1 { throw ValidationError("--jobs must be at least 1, not \(jobs)") }
  }

  func run() throws {
    let checkup = Checkup(try store.existing(), jobs: jobs ?? Machine.current(environment: Program.variables).cpus)
    let report = try task.watch { meter in try checkup.run(repair ? .repair : .report, meter: meter) }
    if json {
      Terminal.say(report.json.encoded(pretty: true))
    } else {
      for line in report.lines { Terminal.say(line) }
    }
    throw ExitCode(report.exitStatus)
  }
}
