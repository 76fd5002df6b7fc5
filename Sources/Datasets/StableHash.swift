/// A 64-bit hash of bytes that never changes between runs, versions and machines (FNV-1a, then the finaliser of splitmix64). It assigns
/// records to parts and names random streams; it protects against nothing.
package enum StableHash {
  package static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return mix(hash)
  }

  package static func of(_ text: String) -> UInt64 { of(text.utf8) }

  /// Of several texts, kept apart: ["ab", "c"] and ["a", "bc"] differ.
  package static func of(_ texts: [String]) -> UInt64 {
    texts.reduce(0x9E37_79B9_7F4A_7C15) { hash, text in mix(hash ^ of(text)) &+ 0x9E37_79B9_7F4A_7C15 }
  }

  package static func mix(_ value: UInt64) -> UInt64 {
    var value = value
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
