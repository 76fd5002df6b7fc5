import Artifacts
import Foundation
import Hashing
import Remotes

/// Recipes on a remote, by the names that people give them, and statements about them. A recipe there is what an exported one is anywhere:
/// its document, and the files that it lists. It does not know what kind of place the remote is.
package struct RecipeShelf: Sendable {
  private let transfer: Transfer

  package init(_ transfer: Transfer) { self.transfer = transfer }

  package static func name(_ text: String) throws(SharingError) -> RemoteDocument {
    guard let name = RemoteDocument(.recipes, text) else {
      throw SharingError("'\(text)' cannot be a tag; a tag is made of at most 128 letters, digits, '_', '.' and '-'")
    }
    return name
  }

  // MARK: - There

  /// Files first, then the document, so that whoever sees the recipe can have all of it. Returns what had to be sent.
  package func push(_ package: RecipePackage, as name: RemoteDocument) async throws -> [Blob] {
    var contents: [Digest: RecipePackage.Content] = [:]
    for item in package.items { contents[item.entry.digest] = item.content }
    let (held, files) = (contents, transfer.store.files)
    let blobs = package.items.map {
      Blob($0.entry.digest, size: $0.entry.size, title: $0.entry.path.text, mediaType: MediaType.of($0))
    }
    let sent = try await transfer.upload(blobs) { blob in
      switch held[blob.digest] {
      case .bytes(let bytes): return BytesSource(bytes)
      case .file(let path): return try ObjectSource(blob, at: path, files, advice: "it changed while it was exported")
      case nil: throw SharingError("\(blob.digest) belongs to no file of the recipe")
      }
    }
    try await transfer.put(name, package.document.bytes, blobs: Array(Set(blobs)).sorted { $0.digest.hex < $1.digest.hex })
    return sent
  }

  /// Keeps a statement beside the recipe that it is about.
  package func attach(_ statement: [UInt8], to recipe: RemoteDocument) async throws {
    guard try await transfer.document(recipe, limit: RecipeDocument.mostBytes) != nil else {
      throw SharingError("there is no recipe called '\(recipe.name)', so nothing can be said of it", at: transfer.remote.address)
    }
    guard let name = RemoteDocument(.statements, Digest(hashing: statement).hex) else { return }
    try await transfer.put(name, statement, blobs: [], upon: [recipe])
  }

  // MARK: - Here

  /// The recipe as an exported directory, which is not there yet; a name is needed where there are several.
  package func pull(_ name: RemoteDocument?, into directory: String) async throws -> RecipeContainer {
    let name = try await chosen(name)
    guard let bytes = try await transfer.document(name, limit: RecipeDocument.mostBytes) else {
      throw SharingError("there is no recipe called '\(name.name)'", at: transfer.remote.address)
    }
    let document = try RecipeDocument(reading: bytes)
    let pending = try await transfer.download(document.entries.map { Blob($0.digest, size: $0.size) })
    _ = pending
    let files = transfer.store.files
    try files.makeDirectory(directory)
    try files.write(bytes, to: "\(directory)/\(RecipeDocument.name)")
    for entry in document.entries {
      let path = "\(directory)/\(entry.path.text)"
      if let parent = entry.path.parent { try files.makeDirectory("\(directory)/\(parent)") }
      try files.hardLink(path, to: transfer.store.objectPath(entry.digest))
    }
    return .directory(directory)
  }

  private func chosen(_ name: RemoteDocument?) async throws -> RemoteDocument {
    if let name { return name }
    let names = try await transfer.documents(.recipes) ?? []
    guard let first = names.first, names.count == 1 else {
      let shown = names.prefix(8).map(\.name).joined(separator: ", ")
      throw SharingError(
        names.isEmpty ? "there is no recipe" : "there are \(names.count) recipes (\(shown)); say which with --tag",
        at: transfer.remote.address)
    }
    return first
  }
}
