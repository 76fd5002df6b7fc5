import Hashing

/// A place elsewhere that keeps results: a directory, a registry, a bucket, another machine. It stores bytes under their digest and small
/// documents under names; it does not know what they mean, and it is not trusted: whoever asks checks every byte.
///
/// It is called on threads that are there for it (`RemoteThreads`), many calls at once, and so may block. What goes wrong it throws as
/// `RemoteError`, whose kind says whether it is worth another try; what `sink` or a source throws it passes on as it is. It tries nothing
/// again itself, and ends a call whose task is cancelled as soon as it can.
package protocol Remote: Sendable {
  /// As the user wrote it, without credentials.
  var address: String { get }

  /// The tag that the address itself names, where its kind has room for one.
  var tag: String? { get }

  /// Which of these the remote does not have yet, whole.
  func missing(_ blobs: [Blob]) async throws -> [Blob]

  /// Gives the blob's bytes from `offset` to its end to `sink`, in order. May give fewer or more or other bytes than there should be;
  /// the caller counts, checks, and throws out of `sink` to end it.
  func get(_ blob: Blob, from offset: Int, _ sink: (UnsafeRawBufferPointer) throws -> Void) async throws

  /// Has the remote keep the blob. Whole or not at all; goes on where an interrupted upload stopped, where the remote can.
  func put(_ blob: Blob, _ source: any BlobSource, progress: @Sendable (Int) -> Void) async throws

  /// The document of that name, at most `limit` bytes; nil when there is none.
  func document(_ name: RemoteDocument, limit: Int) async throws -> [UInt8]?

  /// Writes the document in one step, over an earlier one. What it stands on (`blobs`) is there already and must not be thrown away as
  /// long as the document is there.
  func put(_ name: RemoteDocument, _ bytes: [UInt8], blobs: [Blob]) async throws

  /// The same, where the remote can say what a document is about: of a tag its results, of a statement the tag that it speaks of. They are
  /// there already.
  func put(_ name: RemoteDocument, _ bytes: [UInt8], blobs: [Blob], upon documents: [RemoteDocument]) async throws

  /// Names of all documents of a kind; nil where the remote cannot list.
  func documents(_ kind: RemoteDocument.Kind) async throws -> [RemoteDocument]?

  /// No more calls come.
  func close() async
}

extension Remote {
  package var tag: String? { nil }

  package func put(_ name: RemoteDocument, _ bytes: [UInt8], blobs: [Blob], upon documents: [RemoteDocument]) async throws {
    try await put(name, bytes, blobs: blobs)
  }
}

/// Bytes known by what they are.
package struct Blob: Hashable, Sendable {
  package let digest: Digest
  /// As the result that names it promises; whoever gets it takes no more than this.
  package let size: Int
  /// What it is to be called where names are kept (`model/model.safetensors`), and of what kind it is. No part of what it is.
  package var title: String?
  package var mediaType: String?

  package init(_ digest: Digest, size: Int, title: String? = nil, mediaType: String? = nil) {
    self.digest = digest
    self.size = size
    self.title = title
    self.mediaType = mediaType
  }

  package static func == (one: Blob, other: Blob) -> Bool { one.digest == other.digest && one.size == other.size }
  package func hash(into hasher: inout Hasher) {
    hasher.combine(digest)
    hasher.combine(size)
  }
}

/// Where the bytes of a blob are read from, any part of them, any number of times.
package protocol BlobSource: Sendable {
  var size: Int { get }
  /// At most `count` bytes from `offset`; fewer only at the end.
  func read(_ offset: Int, _ count: Int) throws -> [UInt8]
}

/// The small things that a remote keeps by name.
package struct RemoteDocument: Hashable, Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    /// By key: what a stage gave, as the store records it.
    case results
    /// By the name that people give: which instances, with which keys, and the recipe they come from.
    case tags
    /// By the name that people give: a recipe with all that it needs to be computed again.
    case recipes
    /// By their own digest: signed statements.
    case statements
  }

  package let kind: Kind
  /// 1 to 128 of `[A-Za-z0-9_.-]`, not beginning with `.` or `-`: what every kind of remote can keep.
  package let name: String

  package init?(_ kind: Kind, _ name: String) {
    guard Self.isName(name) else { return nil }
    self.kind = kind
    self.name = name
  }

  package static func result(_ key: Digest) -> RemoteDocument { RemoteDocument(checked: .results, key.hex) }

  private init(checked kind: Kind, _ name: String) { (self.kind, self.name) = (kind, name) }

  private static func isName(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard (1...128).contains(bytes.count), bytes[0] != UInt8(ascii: "."), bytes[0] != UInt8(ascii: "-") else { return false }
    return bytes.allSatisfy {
      switch $0 {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
      case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
      default: false
      }
    }
  }
}
