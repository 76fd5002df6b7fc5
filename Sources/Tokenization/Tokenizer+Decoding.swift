extension Tokenizer {
  /// The bytes of the tokens, joined. Ids that belong to no token (a padded embedding has some) give none.
  package func decodeBytes(_ ids: some Sequence<Int32>, skipSpecialTokens: Bool = false) -> [UInt8] {
    var bytes: [UInt8] = []
    for id in ids where !(skipSpecialTokens && spelling.isSpecial(id)) { bytes += spelling.bytes(id) }
    return bytes
  }

  /// The text of the tokens: bytes joined first, then read as UTF-8 with U+FFFD for every ill-formed sequence.
  package func decode(_ ids: some Sequence<Int32>, skipSpecialTokens: Bool = false) -> String {
    String(decoding: decodeBytes(ids, skipSpecialTokens: skipSpecialTokens), as: UTF8.self)
  }

  package func isSpecial(_ id: Int32) -> Bool { spelling.isSpecial(id) }
}
