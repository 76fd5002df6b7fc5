/// How much a remote may make us read before we know that it is what we asked for. What is longer is refused.
package enum RemoteLimits {
  package static let resultBytes = 8 << 20
  package static let tagBytes = 32 << 20
  /// Of a directory's listing.
  package static let listingBytes = 32 << 20
  /// Of a plan or a manifest that a tag speaks of.
  package static let planBytes = 64 << 20
  package static let manifestBytes = 16 << 20
  package static let outputs = 1000
  package static let instances = 200_000
  package static let listedFiles = 250_000
  /// Files that a tag keeps beside the manifest.
  package static let captured = 10_000
  /// Of names of recipes, instances and stages, in UTF-8 bytes.
  package static let nameBytes = 4096
  /// Bytes in one blob, and of all files of one output together.
  package static let blobBytes = 1 << 50
}
