import ArgumentParser
import Execution

/// `heirloom export INSTANCE.OUTPUT DIRECTORY`: a copy of a result as plain files.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Copy a result out of the store as plain files.")

  @Argument(help: "INSTANCE.OUTPUT: 'tuned[0.001].model'.") var what: String
  @Argument(help: "Where to: a directory that is empty or not there.", completion: .directory) var directory: String
  @OptionGroup var which: RunChoiceArguments

  func run() throws {
    let queries = try which.queries()
    let (name, output) = try queries.parse(what, in: which.choice)
    let finding = try queries.find(name, in: which.choice)
    guard let output else {
      let outputs =
        finding.instance.key == nil ? "" : "; it has " + (finding.result?.answer.outputs.map(\.name).joined(separator: ", ") ?? "none")
      throw CommandFailure.usage("say which output of \(name): \(name).OUTPUT\(outputs)")
    }
    try queries.export(queries.output(output, of: finding), to: directory)
    Terminal.say(directory)
  }
}
