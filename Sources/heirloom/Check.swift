import ArgumentParser
import Execution
import Manifests

/// `heirloom check MANIFEST`: reads the manifest and the contracts it uses, and reports everything that is wrong.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Check a manifest without running it.")

  @OptionGroup var recipe: RecipeArguments
  @Flag(help: "Also hold inputs and keys against the lock beside the manifest.") var locked = false
  @OptionGroup var store: StoreArguments

  func run() throws {
    if locked {
      let request = recipe.request(RunOptions(program: Program.path, variables: Program.variables))
      try LockCheck.require(request, storePath: store.path(request))
    }
    let recipe = try recipe.load()
    for manifest in [recipe.manifest] + recipe.used { Terminal.warn(YAMLDifferences.warnings(manifest)) }
    let entries = Set(recipe.graph.instances.map(\.entry)).count
    Terminal.say("\(recipe.graph.recipe): \(entries) stages, \(recipe.graph.instances.count) instances")
  }
}
