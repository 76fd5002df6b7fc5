import Artifacts
import Remotes
import Sharing

/// Recipes that remotes keep.
struct RemoteRecipes: RecipeFetching {
  /// What the command line says; before what the address says.
  let tag: String?

  static func isRemote(_ reference: String) -> Bool { RemoteAddress.Kind.allCases.contains { reference.hasPrefix($0.rawValue) } }

  func handles(_ reference: String) -> Bool { Self.isRemote(reference) }

  func fetch(_ reference: String, into directory: String, _ meter: WorkMeter) throws -> RecipeContainer {
    let address = try RemoteArguments.address(reference)
    let name = try (tag ?? address.tag).map { try RecipeShelf.name($0) }
    let store = try Store.open(directory + "-store")
    return try RemoteArguments.transfer(address, store, on: meter) { try await RecipeShelf($0).pull(name, into: directory) }
  }
}
