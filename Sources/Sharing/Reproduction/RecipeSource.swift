import Artifacts

/// Where a recipe that is to be reproduced comes from, as soon as it is on this machine.
package enum RecipeSource: Sendable, Equatable {
  /// Exported: an archive, a directory or an OCI layout.
  case exported(RecipeContainer)
  /// A manifest as it lies in its project, with its lock beside it.
  case manifest(String)

  /// - Parameters:
  ///   - scratch: where a fetcher may put what it brings; the caller's to remove.
  package static func find(
    _ reference: String, _ fetchers: [any RecipeFetching], scratch: String, files: FileSystem = .posix, meter: WorkMeter
  ) throws -> RecipeSource {
    if let fetcher = fetchers.first(where: { $0.handles(reference) }) {
      return .exported(try fetcher.fetch(reference, into: scratch + "/fetched", meter))
    }
    if let scheme = reference.range(of: "://") {
      throw SharingError("'\(reference[..<scheme.lowerBound])' is no kind of remote that recipes are fetched from", at: reference)
    }
    if [".yaml", ".yml"].contains(where: reference.hasSuffix) { return .manifest(reference) }
    if let container = try RecipeContainer.at(reference, files: files) { return .exported(container) }
    return .manifest(try manifest(in: reference, files))
  }

  /// Of the one lock in a directory.
  private static func manifest(in directory: String, _ files: FileSystem) throws -> String {
    let locks = (try files.list(directory) ?? []).filter { $0.hasSuffix(".lock") }
    guard locks.count == 1 else {
      throw SharingError(
        locks.isEmpty ? "holds neither an exported recipe nor a lock" : "holds \(locks.count) locks; say which manifest", at: directory)
    }
    for ending in [".yaml", ".yml"] {
      let manifest = "\(directory)/\(locks[0].dropLast(5))\(ending)"
      if try files.exists(manifest) { return manifest }
    }
    throw SharingError("has no manifest beside it", at: "\(directory)/\(locks[0])")
  }
}

/// Brings a recipe from elsewhere: a registry, a bucket.
package protocol RecipeFetching: Sendable {
  /// Whether a reference (`oci://…`, `s3://…`) is for it.
  func handles(_ reference: String) -> Bool

  /// Puts the recipe below `directory`, which is not there yet: as an OCI layout, an exported directory, or an archive. What it brings is
  /// checked by whoever asked.
  func fetch(_ reference: String, into directory: String, _ meter: WorkMeter) throws -> RecipeContainer
}
