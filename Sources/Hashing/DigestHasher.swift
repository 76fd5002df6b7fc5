import Crypto

/// SHA-256 over bytes that come in pieces. It knows nothing of files.
package struct DigestHasher {
  private var state = SHA256()

  package init() {}

  package mutating func update(_ bytes: UnsafeRawBufferPointer) { state.update(bufferPointer: bytes) }

  package mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  package mutating func update(_ text: String) {
    var text = text
    text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
  }

  /// The digest of everything so far.
  package func finish() -> Digest {
    guard let digest = Digest(bytes: Array(state.finalize())) else { preconditionFailure("a SHA-256 digest has 32 bytes") }
    return digest
  }
}

extension Digest {
  /// The digest of some bytes.
  package init(hashing bytes: [UInt8]) {
    var hasher = DigestHasher()
    hasher.update(bytes)
    self = hasher.finish()
  }

  /// The digest of a text's UTF-8 bytes.
  package init(hashing text: String) {
    var hasher = DigestHasher()
    hasher.update(text)
    self = hasher.finish()
  }

  /// The digest of raw memory.
  package init(hashing bytes: UnsafeRawBufferPointer) {
    var hasher = DigestHasher()
    hasher.update(bytes)
    self = hasher.finish()
  }
}
