import Artifacts
import Hashing
import JSONValues

/// A directory's listing that came from elsewhere. Its digest is right, or it would not be here; but whoever made it may have meant harm, so
/// it is held to what the store itself would have written, and to paths that a directory can have.
enum StrictListing {
  static func read(_ bytes: [UInt8], of output: StoredOutput, from address: String) throws(RemoteError) -> TreeListing {
    let reading = StrictReading(subject: "\(address): the directory \(output.digest)")
    guard bytes.count <= RemoteLimits.listingBytes else { throw reading.fail("is longer than \(RemoteLimits.listingBytes) bytes") }
    guard let json = try? JSONValue(parsing: bytes, maximumDepth: 8) else { throw reading.fail("is not a listing") }
    var total = 0
    for entry in try reading.list(json["files"], "files", most: RemoteLimits.listedFiles) {
      // Before anything adds them up.
      total += try reading.size(entry["size"], "size")
      guard total <= RemoteLimits.blobBytes else { throw reading.fail("lists more than \(RemoteLimits.blobBytes) bytes") }
    }
    guard let listing = TreeListing(bytes: bytes) else { throw reading.fail("names a path that leaves it, or is not a listing") }
    guard listing.bytes == bytes else { throw reading.fail("is not written as listings are") }
    guard total == output.size else { throw reading.fail("lists \(total) bytes instead of \(output.size)") }
    try check(listing, reading)
    return listing
  }

  /// No path twice, none that is a file and a directory, none that a file system could not hold.
  private static func check(_ listing: TreeListing, _ reading: StrictReading) throws(RemoteError) {
    var files: Set<ByteString> = []
    var directories: Set<ByteString> = []
    for path in listing.files.map(\.path) + listing.emptyDirectories {
      let parts = path.split(separator: "/", omittingEmptySubsequences: false)
      guard path.utf8.count <= 1024, parts.allSatisfy({ $0.utf8.count <= 255 }), path.isPrintable else {
        throw reading.fail("names a path that is too long or not printable")
      }
      var parent = ""
      for part in parts.dropLast() {
        parent += parent.isEmpty ? String(part) : "/\(part)"
        directories.insert(ByteString(parent))
      }
    }
    for path in listing.files.map(\.path) where !files.insert(ByteString(path)).inserted { throw reading.fail("names a path twice") }
    var empty: Set<ByteString> = []
    for path in listing.emptyDirectories where !empty.insert(ByteString(path)).inserted { throw reading.fail("names a path twice") }
    guard files.isDisjoint(with: directories), files.isDisjoint(with: empty), empty.isDisjoint(with: directories) else {
      throw reading.fail("names a path as a file and as a directory")
    }
  }
}
