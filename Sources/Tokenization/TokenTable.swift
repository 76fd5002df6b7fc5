import JSONValues

/// Tokens by id and ids by token, both compared as UTF-8 bytes.
struct TokenTable: Sendable {
  private(set) var tokens: [String?] = []
  private var ids: [ByteString: Int32] = [:]

  /// One more than the largest id.
  var count: Int { tokens.count }

  func id(_ token: String) -> Int32? { ids[ByteString(token)] }

  func token(_ id: Int32) -> String? { id >= 0 && id < tokens.count ? tokens[Int(id)] : nil }

  mutating func reserve(_ count: Int) {
    tokens.reserveCapacity(count)
    ids.reserveCapacity(count)
  }

  /// Adds a token, or says what stands in its way.
  mutating func add(_ token: String, _ id: Int32, path: @autoclosure () -> String) throws(TokenizerError) {
    if let other = self.token(id) { throw TokenizerError(path: path(), message: "id \(id) belongs to '\(other)' already") }
    if let other = ids.updateValue(id, forKey: ByteString(token)) {
      throw TokenizerError(path: path(), message: "'\(token)' has the id \(other) already, here \(id)")
    }
    while tokens.count <= id { tokens.append(nil) }
    tokens[Int(id)] = token
  }
}
