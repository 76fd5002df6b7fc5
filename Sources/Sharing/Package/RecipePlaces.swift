import Execution
import Planning

/// Where each file that planning read lies in an exported recipe: everything of the project where it was, and contracts that came with the
/// program in the project's `stages/`, so that the recipe needs no other program's.
struct RecipePlaces {
  private let planned: PlannedRecipe

  init(_ planned: PlannedRecipe) { self.planned = planned }

  /// Relative to the root; an installed contract may be wanted in several places.
  func places(of path: String) throws(SharingError) -> [String] {
    guard ProjectRoot.isBelow(path, planned.installed), let installed = planned.installed else {
      guard let relative = planned.root.relative(path) else {
        throw SharingError(
          "lies outside of the project (\(planned.root.path)), so it cannot be exported; copy it there, or link to it", at: path)
      }
      return [relative]
    }
    let name = Paths.shown(path, from: installed)
    let wanted = stageDirectories.filter { directory in
      guard case .kind(let kind)? = planned.capture.answers[.kind(path: "\(directory)/\(name)")] else { return false }
      return kind != .file
    }
    let directories = wanted.isEmpty ? [planned.root.absolute("stages")] : wanted
    return directories.compactMap { planned.root.relative("\($0)/\(name)") }
  }

  /// The project's own, of which there may be several below the root.
  private var stageDirectories: [String] {
    var directories: Set<String> = []
    for case (.kind(let path), .kind(.directory)) in planned.capture.answers where path.hasSuffix("/stages") && path != planned.installed {
      if planned.root.relative(path) != nil { directories.insert(path) }
    }
    return directories.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// The directory of a contract in the exported recipe, and what a path beside it becomes.
  func places(of source: String, beside contract: StageContract) throws(SharingError) -> [String] {
    let path = Paths.absolute(source, from: contract.directory)
    guard ProjectRoot.isBelow(contract.path, planned.installed) else { return try places(of: path) }
    guard !source.hasPrefix("/") else {
      throw SharingError("is an absolute path, which no other machine has", at: "source \(source) of \(contract.name)")
    }
    let root = planned.root
    return try places(of: contract.path).map { (place) throws(SharingError) in
      let moved = Paths.absolute(source, from: Paths.parent(root.absolute(place)))
      guard let relative = root.relative(moved) else {
        throw SharingError("lies outside of the stages that came with the program", at: "source \(source) of \(contract.name)")
      }
      return relative
    }
  }
}
