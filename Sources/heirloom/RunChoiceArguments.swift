import ArgumentParser
import Execution

/// Which run a question is about: the store's latest unless told otherwise.
struct RunChoiceArguments: ParsableArguments {
  @Option(help: "The latest run of this recipe.") var recipe: String?
  @Option(name: .customLong("run"), help: "The run of this id, of the id that begins so, of this name, or latest~1.") var id: String?
  @OptionGroup var store: StoreArguments

  func validate() throws {
    if recipe != nil, id != nil { throw ValidationError("--recipe and --run exclude each other") }
  }

  var choice: RunChoice {
    if let id { return .id(id) }
    return recipe.map { .latestOf(recipe: $0) } ?? .latest
  }

  func queries() throws -> StoreQueries { try StoreQueries(store.path()) }
}
