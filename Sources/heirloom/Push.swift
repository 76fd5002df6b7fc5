import ArgumentParser
import Artifacts
import Execution
import JSONValues
import Remotes
import Sharing

/// `heirloom push REMOTE [TARGET…]`: gives a run's results to a remote.
struct Push: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Give a run's results to a remote.",
    discussion: """
      Bytes go first, then results, then the tag, so that whoever sees the tag can pull all of it; what is there already is not sent again,
      and what was interrupted goes on. Targets are pushed with all that they need.
      """)

  @OptionGroup var remote: RemoteArguments
  @Argument(help: "Only these: INSTANCE or INSTANCE.OUTPUT, with what they need.") var targets: [String] = []
  @Option(help: "What the run is called there [default: the recipe's name].") var tag: String?
  @Option(
    name: .customLong("statement"),
    help: ArgumentHelp(
      "Keep this statement beside the recipe of --tag, and push nothing else; may be given several times.", valueName: "file"))
  var statements: [String] = []
  @Flag(help: "Push the stages' logs, too; they may name paths of this machine.") var logs = false
  @OptionGroup var which: RunChoiceArguments
  @OptionGroup var task: TaskArguments
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    if !statements.isEmpty { return try attach() }
    _ = try which.store.existing()
    let queries = try which.queries()
    let run = try queries.run(which.choice)
    let (targets, tag, logs) = (targets, tag, logs)
    let report = try remote.transfer(queries.store, task) { transfer in
      try await RunPush(transfer, sendsLogs: logs).push(run, targets: targets, tag: tag)
    }
    for notice in report.notices { StandardError.line("note: \(notice)") }
    if json { return Terminal.say(report.json.encoded(pretty: true)) }
    for line in report.lines { Terminal.say(line) }
  }

  /// What somebody says of a recipe goes where the recipe is.
  private func attach() throws {
    guard let tag = try tag ?? remote.tag() else { throw CommandFailure.usage("say which recipe the statement is about: --tag NAME") }
    let name = try RecipeShelf.name(tag)
    let contents = try statements.map { try StatementFiles.read($0, limit: Self.mostStatementBytes) }
    let store = try Store.open(which.store.path())
    try remote.transfer(store, task) { transfer in
      for bytes in contents { try await RecipeShelf(transfer).attach(bytes, to: name) }
    }
    Terminal.say("\(contents.count == 1 ? "1 statement" : "\(contents.count) statements") beside recipe \(tag)")
  }

  private static let mostStatementBytes = 16 << 20
}
