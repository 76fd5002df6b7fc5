import ArgumentParser
import Artifacts
import Execution
import Foundation
import Planning
import Sharing

/// `heirloom import ARCHIVE`: takes in a recipe that somebody exported.
struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Take in an exported recipe: its files into a directory, its artifacts into the store.",
    discussion: """
      An archive, the directory that one unpacks to, an OCI layout, or a remote that keeps recipes. Every byte is checked against the digests it lists before the first file
      is put in its place; links, paths that lead out, and whatever else does not belong are refused, and what is refused leaves nothing. What
      a result says of itself is believed: `reproduce` computes it again.
      """)

  @Argument(help: "An archive or a directory, as `export recipe` writes them, or a remote's address.", completion: .file())
  var archive: String
  @Option(help: "Which recipe of a remote [default: as its address says, else the only one there].") var tag: String?
  @Option(help: "Where the recipe's files go [default: a directory of the recipe's name].", completion: .directory) var into: String?
  @Flag(help: "Replace files that are there with other bytes.") var force = false
  @OptionGroup var store: StoreArguments
  @OptionGroup var task: TaskArguments

  func run() throws {
    let scratch = try Scratch()
    defer { scratch.remove() }
    guard let container = try container(scratch) else { throw CommandFailure.usage("\(archive) holds no exported recipe") }
    let directory = Paths.absolute(try into ?? Self.name(of: container), from: Program.planning.workingDirectory)
    let outcome = try task.watch { meter in
      try RecipeImport(
        container, into: directory, storePath: store.path(below: directory), force ? .replaced : .stay, meter: meter
      ).run()
    }
    for name in outcome.passedOver {
      StandardError.line("note: the result of \(name) was left out: the store has another, or a run is computing it")
    }
    let files = outcome.unchanged > 0 ? "\(outcome.files) files (\(outcome.unchanged) were there)" : "\(outcome.files) files"
    Terminal.say(
      "\(Terminal.shortened("\(directory)/\(outcome.document.manifest)"))  \(files), \(outcome.objects) objects, \(outcome.results) results"
    )
  }

  private func container(_ scratch: Scratch) throws -> RecipeContainer? {
    guard RemoteRecipes.isRemote(archive) else { return try RecipeContainer.at(archive) }
    return try task.watch { meter in try RemoteRecipes(tag: tag).fetch(archive, into: scratch.path + "/fetched", meter) }
  }

  /// What the recipe is called, as far as a directory can be called so.
  private static func name(of container: RecipeContainer) throws -> String {
    let name = try container.document().recipe
    guard let path = try? EntryPath(name), path.parent == nil else { throw CommandFailure.usage("say where to with --into") }
    return path.text
  }
}

extension StoreArguments {
  /// The store of a project that may not be there yet.
  func path(below directory: String) -> String {
    store == nil && (Program.variables["HEIRLOOM_STORE"] ?? "").isEmpty ? directory + "/artifacts" : path()
  }
}
