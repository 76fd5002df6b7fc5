/// The bytes that every token stands for, in one flat array.
struct TokenSpelling: Sendable {
  private var bytes: [UInt8] = []
  /// Token `id` is `bytes[offsets[id]..<offsets[id + 1]]`.
  private var offsets: [Int] = [0]
  private var special: [Bool] = []

  /// An added token stands for its own text; one of the vocabulary for the bytes it spells, or its text if it spells none.
  init(_ table: TokenTable, _ addedTokens: [AddedToken]) {
    special = [Bool](repeating: false, count: table.count)
    var isAdded = special
    for token in addedTokens {
      isAdded[Int(token.id)] = true
      special[Int(token.id)] = token.special
    }
    offsets.reserveCapacity(table.count + 1)
    for (id, token) in table.tokens.enumerated() {
      if let token { bytes += isAdded[id] ? Array(token.utf8) : ByteAlphabet.bytes(token) ?? Array(token.utf8) }
      offsets.append(bytes.count)
    }
  }

  /// The bytes of a token; none for an id that belongs to no token.
  func bytes(_ id: Int32) -> ArraySlice<UInt8> {
    guard id >= 0, id < special.count else { return [] }
    return bytes[offsets[Int(id)]..<offsets[Int(id) + 1]]
  }

  func isSpecial(_ id: Int32) -> Bool { id >= 0 && id < special.count && special[Int(id)] }
}
