import ArgumentParser
import Planning

/// `heirloom stages [NAME]`: the stages one can use, or the reference page of one, made from its contract.
struct StagesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "stages", abstract: "List the stages, or show the reference page of one.")

  @Argument(help: "A stage: train/sft.") var name: String?

  func run() throws {
    let catalogue = Program.planning.catalogue(for: Program.planning.workingDirectory)
    guard let name else {
      let (contracts, diagnostics) = catalogue.all()
      Terminal.warn(diagnostics)
      return Terminal.say(StageReference.list(contracts), terminator: "")
    }
    switch catalogue.contract(named: name) {
    case .found(let contract, let warnings):
      Terminal.warn(warnings)
      Terminal.say(StageReference.page(contract), terminator: "")
    case .broken(let errors): throw InvalidRecipe(diagnostics: errors)
    case .unknown(let suggestion):
      throw CommandFailure.usage("there is no stage '\(name)'" + (suggestion.map { "; did you mean '\($0)'?" } ?? ""))
    }
  }
}

/// `heirloom schema`: JSON schemas for editors.
struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema", abstract: "Print the JSON schema of manifests, with the stages one can use; or of contracts.")

  @Flag(help: "Of stage contracts, stages/**/*.yaml, instead.") var contract = false

  func run() throws {
    if contract { return Terminal.say(Schema.contract().encoded(pretty: true)) }
    let (contracts, diagnostics) = Program.planning.catalogue(for: Program.planning.workingDirectory).all()
    Terminal.warn(diagnostics)
    Terminal.say(Schema.manifest(contracts).encoded(pretty: true))
  }
}
