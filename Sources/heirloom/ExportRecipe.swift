import ArgumentParser
import Artifacts
import Execution
import Foundation
import Planning
import Remotes
import Sharing

/// `heirloom export recipe MANIFEST ARCHIVE`: a recipe with everything it needs, for somebody else.
struct ExportRecipe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recipe", abstract: "Write a recipe with all it needs as one archive, as an OCI layout, or on a remote.",
    discussion: """
      Manifest and the manifests it uses, contracts, what commands are made of, sources, and the lock; artifacts as wanted: --with results
      (records only), --with INSTANCE (its results and their bytes; may be given several times), --with all. The same recipe is the same
      bytes. `import` takes it in, `reproduce` computes it again.
      """)

  @OptionGroup var recipe: RecipeArguments
  @Argument(help: "The archive to write, a plain tar file.", completion: .file(extensions: ["tar"])) var archive: String?
  @Option(help: "Write this directory in the OCI image layout instead.", completion: .directory) var ociLayout: String?
  @Option(help: ArgumentHelp("Keep it on this remote, under --tag.", valueName: "remote")) var to: String?
  @Option(help: "With --to: what the recipe is called there [default: as the address says, else its name].") var tag: String?
  @Option(help: "Artifacts that come along: results, an instance or stage, or all.") var with: [String] = []
  @Flag(help: "Replace an archive that is there.") var force = false
  @OptionGroup var store: StoreArguments
  @OptionGroup var task: TaskArguments

  func validate() throws {
    guard [archive, ociLayout, to].count(where: { $0 != nil }) == 1 else {
      throw ValidationError("say where to: an archive, --oci-layout DIRECTORY, or --to REMOTE")
    }
    if tag != nil, to == nil { throw ValidationError("--tag needs --to") }
    if with.count > 1, with.contains("all") || with.contains("results") {
      throw ValidationError("--with all and --with results stand alone")
    }
  }

  func run() throws {
    let request = recipe.request(RunOptions(program: Program.path, variables: Program.variables))
    let planned = try PlannedRecipe(request)
    Terminal.warn(planned.recipe.warnings)
    let path = store.path(request)
    let making = try LockMaking(planned, storePath: path, variables: Program.variables)
    let lock = try LockCheck.best(TaskProgress.during(making.meter, task.style) { try making.make() }, planned, storePath: path)
    let package = try RecipeCollection.collect(planned, lock, artifacts, storePath: path)
    for name in package.missing { StandardError.line("note: the bytes of \(name) are gone from the store and were left out") }
    if let archive {
      try task.watch { meter in try ArchiveExport.write(package, to: archive, force ? .whatIsThere : .nothing, meter: meter) }
    } else if let ociLayout {
      try task.watch { meter in try LayoutExport.write(package, to: ociLayout, meter: meter) }
    }
    let place = try to.map { try push(package, to: $0, path) } ?? archive ?? ociLayout ?? ""
    Terminal.say("\(place)  \(package.items.count) files, \(package.size) bytes, lock \(lock.digest.hex.prefix(12))")
  }

  /// Returns where it is.
  private func push(_ package: RecipePackage, to remote: String, _ storePath: String) throws -> String {
    let address = try RemoteArguments.address(remote)
    let plain = String(package.document.recipe.map { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) ? $0 : "-" })
    let name = try RecipeShelf.name(tag ?? address.tag ?? plain)
    _ = try RemoteArguments.transfer(address, try Store.open(storePath), task) { transfer in
      try await RecipeShelf(transfer).push(package, as: name)
    }
    return "\(address.text), recipe \(name.name)"
  }

  private var artifacts: RecipeCollection.Artifacts {
    switch with {
    case []: .none
    case ["results"]: .results
    case ["all"]: .all
    default: .outputs(of: with)
    }
  }
}
