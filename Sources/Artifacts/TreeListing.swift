import Hashing
import JSONValues

/// A directory as content: the relative path, digest and size of every file below it, in byte order of the paths.
///
/// Times, owners and permissions are no content. A directory that holds nothing is listed by name, for a program may look for it.
package struct TreeListing: Sendable, Equatable {
  package struct File: Sendable, Equatable {
    package let path: String
    package let digest: Digest
    /// Bytes.
    package let size: Int

    package init(path: String, digest: Digest, size: Int) {
      self.path = path
      self.digest = digest
      self.size = size
    }
  }

  package let files: [File]
  package let emptyDirectories: [String]

  package init(files: [File], emptyDirectories: [String] = []) {
    self.files = files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    self.emptyDirectories = emptyDirectories.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Bytes of all files.
  package var size: Int { files.reduce(0) { $0 + $1.size } }

  /// The canonical text, which is what the directory's digest is taken of.
  package var bytes: [UInt8] {
    var object = JSONObject([
      (
        "files",
        .array(
          files.map { ["digest": .string($0.digest.description), "path": .string($0.path), "size": .integer($0.size)] })
      ),
      ("format", "heirloom tree 1"),
    ])
    if !emptyDirectories.isEmpty { object.set("directories", .array(emptyDirectories.map(JSONValue.string))) }
    return CanonicalJSON.bytes(.object(object))
  }

  /// Reads a listing back; nil when the text is none, or names a path that leaves the directory.
  package init?(bytes: [UInt8]) {
    guard let json = try? JSONValue(parsing: bytes), json["format"]?.stringValue == "heirloom tree 1",
      let entries = json["files"]?.arrayValue
    else { return nil }
    var files: [File] = []
    for entry in entries {
      guard let path = entry["path"]?.stringValue, Self.isInside(path), let digest = entry["digest"]?.stringValue.flatMap(Digest.init),
        let size = entry["size"]?.integerValue
      else { return nil }
      files.append(File(path: path, digest: digest, size: size))
    }
    let directories = (json["directories"]?.arrayValue ?? []).compactMap(\.stringValue)
    guard directories.allSatisfy(Self.isInside) else { return nil }
    self.init(files: files, emptyDirectories: directories)
  }

  private static func isInside(_ path: String) -> Bool {
    let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return parts.allSatisfy { !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) } && !path.utf8.contains(0)
  }
}
