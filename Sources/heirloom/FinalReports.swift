import Artifacts
import Execution
import Foundation
import Planning

/// What a run ends with on standard output: every `report` that no other stage takes, and where all results are to be found.
struct FinalReports {
  private let recipe: Recipe
  private let storePath: String

  init(_ recipe: Recipe, store: String) {
    self.recipe = recipe
    storePath = store
  }

  func show(targets: [String]) throws {
    let views = "\(storePath)/views/\(recipe.graph.recipe)"
    for index in try recipe.graph.needed(for: targets) {
      let instance = recipe.graph.instances[index]
      for output in instance.outputs where output.type == .report && recipe.graph.dependents[index].isEmpty {
        guard let text = try? String(contentsOfFile: "\(views)/\(instance.name)/\(output.name)", encoding: .utf8) else { continue }
        Terminal.say("\n" + text, terminator: "")
      }
    }
    Terminal.say("\nresults: \(shortened(views))")
  }

  private func shortened(_ path: String) -> String {
    let here = Program.planning.workingDirectory + "/"
    return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
  }
}
