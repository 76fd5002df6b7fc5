extension Philox {
  /// The stream of that name: initialisation, data order, sampling … each draw from their own. The stream's number is the FNV-1a hash of
  /// the name's UTF-8 bytes.
  package init(seed: UInt64, name: String) {
    self.init(seed: seed, stream: Self.stream(name))
  }

  package static func stream(_ name: String) -> UInt64 {
    name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
