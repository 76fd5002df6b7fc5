import Artifacts
import Hashing

/// A recipe ready to be written somewhere: its document, and where the bytes of every entry are. It does not know in what form it leaves.
package struct RecipePackage: Sendable {
  package enum Content: Sendable, Equatable {
    case bytes([UInt8])
    case file(String)
  }

  package struct Item: Sendable, Equatable {
    package let entry: RecipeDocument.Entry
    package let content: Content
    /// What it is called among the outputs of a stage (`model/model.safetensors`); nil for everything else.
    package let artifact: String?

    package init(entry: RecipeDocument.Entry, content: Content, artifact: String?) {
      self.entry = entry
      self.content = content
      self.artifact = artifact
    }
  }

  package let document: RecipeDocument
  /// In the order of the document.
  package let items: [Item]
  /// Outputs that were asked for with everything else, and whose bytes are gone.
  package let missing: [String]

  package init(document: RecipeDocument, items: [Item], missing: [String] = []) {
    self.document = document
    self.items = items.sorted { $0.entry.path < $1.entry.path }
    self.missing = missing
  }

  /// Bytes of all entries.
  package var size: Int { document.size }

  private static let pieceBytes = 1 << 20

  /// Gives an item's bytes to `sink`, and sees that they are what the document says: a file may have changed since.
  func read(_ item: Item, _ files: FileSystem, _ sink: ([UInt8]) throws -> Void) throws {
    switch item.content {
    case .bytes(let bytes): try sink(bytes)
    case .file(let path):
      let descriptor = try files.open(path, 0)
      defer { closeFile(descriptor) }
      let read = bytes(of: descriptor)
      var hasher = DigestHasher()
      var left = item.entry.size
      while left > 0 {
        let piece = try read(min(left, Self.pieceBytes))
        if piece.isEmpty { break }
        hasher.update(piece)
        left -= piece.count
        try sink(piece)
      }
      guard left == 0, try read(1).isEmpty, hasher.finish() == item.entry.digest else {
        throw SharingError("changed while it was exported", at: path)
      }
    }
  }
}
