import ArgumentParser
import Artifacts
import Execution
import JSONValues
import Remotes

/// `heirloom pull REMOTE [TARGET…]`: takes a run's results from a remote.
struct Pull: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Take a run's results from a remote.",
    discussion: """
      Afterwards this store answers as the one that pushed them: run finds everything there, and show, status and report speak of it. Every
      byte is checked while it comes; what is wrong is refused. What was interrupted goes on.
      """)

  @OptionGroup var remote: RemoteArguments
  @Argument(help: "Only these: INSTANCE or INSTANCE.OUTPUT, with the bytes of all that they need.") var targets: [String] = []
  @Option(help: "The bytes of these alone; of what they need no more than the results. May be given several times.") var only: [String] = []
  @Option(help: "What the run is called there [default: the only one that is there].") var tag: String?
  @Flag(help: "Pull the stages' logs, too, where they were pushed.") var logs = false
  @OptionGroup var store: StoreArguments
  @OptionGroup var task: TaskArguments
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    var wish = RunPull.Wish()
    wish.tag = tag
    wish.targets = targets
    wish.only = only
    wish.logs = logs
    let store = try Store.open(store.path())
    let asked = wish
    let report = try remote.transfer(store, task) { transfer in try await RunPull(transfer).pull(asked) }
    for notice in report.notices { StandardError.line("note: \(notice)") }
    if json { return Terminal.say(report.json.encoded(pretty: true)) }
    for line in report.lines { Terminal.say(line) }
  }
}
