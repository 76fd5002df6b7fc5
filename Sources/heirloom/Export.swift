import ArgumentParser
import Artifacts
import Execution
import Foundation
import JSONValues
import Reporting

/// `heirloom export`: what is in the store, in the form that others read.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Copy a result out of the store as plain files, a recipe to give away, or training curves for TensorBoard.",
    subcommands: [ExportResult.self, ExportRecipe.self, ExportTensorBoard.self], defaultSubcommand: ExportResult.self)
}

/// `heirloom export tensorboard DIRECTORY`.
struct ExportTensorBoard: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tensorboard", abstract: "Write the training curves of a run as TensorBoard's event files.",
    discussion: "A directory for each training, which TensorBoard calls a run: tensorboard --logdir DIRECTORY")

  @Argument(help: "Where to: a directory that is empty or not there.", completion: .directory) var directory: String
  @OptionGroup var which: RunChoiceArguments

  func run() throws {
    let queries = try which.queries()
    let files = try RunReport.read(queries.run(which.choice), queries.store).tensorBoardFiles
    if files.isEmpty { throw CommandFailure.usage("the run has no curves") }
    try OutputFile.write(files, into: directory)
    Terminal.say(directory)
  }
}

/// `heirloom export [result] INSTANCE.OUTPUT DIRECTORY`: a copy of a result as plain files.
struct ExportResult: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "result", abstract: "Copy a result out of the store as plain files.",
    discussion: """
      Beside a model or an adapter a README.md is written, a model card with metadata for the Hugging Face hub: scores, what was forgotten, \
      data, and how to have it again. The result itself has none.
      """)

  @Argument(help: "INSTANCE.OUTPUT: 'tuned[0.001].model'.") var what: String
  @Argument(help: "Where to: a directory that is empty or not there.", completion: .directory) var directory: String
  @Flag(help: "Write no model card beside a model.") var noCard = false
  @OptionGroup var which: RunChoiceArguments
  @OptionGroup var task: TaskArguments

  func run() throws {
    let queries = try which.queries()
    let (name, output) = try queries.parse(what, in: which.choice)
    let finding = try queries.find(name, in: which.choice)
    guard let output else {
      let outputs =
        finding.instance.key == nil ? "" : "; it has " + (finding.result?.answer.outputs.map(\.name).joined(separator: ", ") ?? "none")
      throw CommandFailure.usage("say which output of \(name): \(name).OUTPUT\(outputs)")
    }
    let stored = try queries.output(output, of: finding)
    try task.watch { meter in try queries.export(stored, to: directory, meter: meter) }
    if !noCard, ModelCard.isCarded(stored.type) { try writeCard(stored, finding, queries.store) }
    Terminal.say(directory)
  }

  /// An artifact that brings a card keeps it.
  private func writeCard(_ output: StoredOutput, _ finding: StoreQueries.Finding, _ store: Store) throws {
    let path = directory + "/README.md"
    guard !FileManager.default.fileExists(atPath: path) else { return }
    let report = try RunReport.read(finding.run, store)
    guard let place = report.instances.firstIndex(where: { $0.name.utf8.elementsEqual(finding.instance.name.utf8) }) else { return }
    let file = output.type == "adapter" ? "adapter_config.json" : "config.json"
    let configuration = FileManager.default.contents(atPath: "\(directory)/\(file)").flatMap { try? JSONValue(parsing: Array($0)) }
    let card = ModelCard(report, instance: place, output: output, configuration: configuration)
    try OutputFile.write(Array(card.text.utf8), to: path)
  }
}
