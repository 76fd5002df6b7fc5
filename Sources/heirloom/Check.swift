import ArgumentParser
import Manifests

/// `heirloom check MANIFEST`: reads the manifest and the contracts it uses, and reports everything that is wrong.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Check a manifest without running it.")

  @OptionGroup var recipe: RecipeArguments

  func run() throws {
    let recipe = try recipe.load()
    for manifest in [recipe.manifest] + recipe.used { Terminal.warn(YAMLDifferences.warnings(manifest)) }
    let entries = Set(recipe.graph.instances.map(\.entry)).count
    Terminal.say("\(recipe.graph.recipe): \(entries) stages, \(recipe.graph.instances.count) instances")
  }
}
