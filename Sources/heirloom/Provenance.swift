import ArgumentParser
import Execution
import Sharing

/// `heirloom provenance [RUN]`: a run for archives and workflow hubs.
struct Provenance: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write what a run was as a Workflow Run RO-Crate.",
    discussion: """
      A directory with ro-crate-metadata.json (Provenance Run Crate 0.5) and the manifest as it was: entries as steps, instances as actions with
      parameters and what they took and gave by SHA-256. Hosts and people are not named, unless --agent names one. The bytes stay in the
      store; `export` copies them.
      """)

  @Argument(help: ArgumentHelp("The run: an id or its beginning, a name, latest~1 [default: the latest].", valueName: "run"))
  var which: String?
  @Option(help: "Where to: a directory that is empty or not there [default: RUN.crate].", completion: .directory) var out: String?
  @Option(help: "The recipe's licence: an SPDX identifier or a URL.") var license: String?
  @Option(help: "Who had it run: a URL or a name.") var agent: String?
  @OptionGroup var store: StoreArguments

  func run() throws {
    let queries = try StoreQueries(store.path())
    let recorded = try queries.run(which.map(RunChoice.id) ?? .latest)
    if recorded.standing == .running { throw CommandFailure.usage("run \(recorded.id) is going on; wait for its end") }
    var options = RunCrate.Options()
    options.license = license
    options.agent = agent
    let crate = try RunCrate(recorded, queries.store, options)
    let directory = out ?? recorded.id + ".crate"
    try OutputFile.write(crate.files, into: directory)
    Terminal.say(directory)
  }
}
