import ArgumentParser
import Execution
import JSONValues

/// `heirloom diff A B`: what differs between two runs.
struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare two runs: params, inputs, versions, metrics, outputs.",
    discussion: "A run is an id or its beginning, a name given by `pin --run`, latest, or latest~1 for the one before.")

  @Argument(help: "The earlier run.") var old: String = "latest~1"
  @Argument(help: "The later run.") var new: String = "latest"
  @OptionGroup var store: StoreArguments
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let queries = try StoreQueries(store.path())
    let comparison = try RunComparison(queries.run(.id(old)), queries.run(.id(new)), in: queries.store)
    if json { return Terminal.say(comparison.json.encoded(pretty: true)) }
    for line in comparison.lines { Terminal.say(line) }
  }
}
