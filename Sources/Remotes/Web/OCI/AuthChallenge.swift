/// What a server wants to see before it answers: one challenge of a `WWW-Authenticate` header (RFC 7235). It knows no credentials.
package struct AuthChallenge: Hashable, Sendable {
  /// In lower case: `bearer`, `basic`.
  package let scheme: String
  /// By their names in lower case.
  package let parameters: [String: String]

  package init(scheme: String, parameters: [String: String]) {
    self.scheme = scheme
    self.parameters = parameters
  }

  /// All challenges of some headers; what is no challenge ends a header.
  package static func parse(_ headers: [String]) -> [AuthChallenge] {
    headers.prefix(8).flatMap { header -> [AuthChallenge] in
      var reader = Reader(rest: Array(header.utf8.prefix(8192))[...])
      return reader.challenges()
    }
  }

  private struct Reader {
    var rest: ArraySlice<UInt8>

    mutating func challenges() -> [AuthChallenge] {
      var challenges: [AuthChallenge] = []
      var scheme: String?
      var parameters: [String: String] = [:]
      func finished() -> [AuthChallenge] { scheme.map { challenges + [AuthChallenge(scheme: $0, parameters: parameters)] } ?? challenges }
      while true {
        skip { $0 == UInt8(ascii: ",") || $0 == 0x20 || $0 == 0x09 }
        guard let word = token() else { return finished() }
        skip { $0 == 0x20 || $0 == 0x09 }
        if scheme != nil, rest.first == UInt8(ascii: "=") {
          rest.removeFirst()
          skip { $0 == 0x20 || $0 == 0x09 }
          guard let value = rest.first == UInt8(ascii: "\"") ? quoted() : token() else { return finished() }
          if parameters[word.lowercased()] == nil { parameters[word.lowercased()] = value }
        } else {
          challenges = finished()
          (scheme, parameters) = (word.lowercased(), [:])
        }
      }
    }

    mutating func skip(_ isSkipped: (UInt8) -> Bool) {
      while let byte = rest.first, isSkipped(byte) { rest.removeFirst() }
    }

    /// A name, or a value without quotes, in which some servers have more than the standard allows.
    mutating func token() -> String? {
      let bytes = rest.prefix { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "\"") }
      rest = rest.dropFirst(bytes.count)
      return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    mutating func quoted() -> String? {
      rest.removeFirst()
      var bytes: [UInt8] = []
      while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "\"") { return String(validating: bytes, as: UTF8.self) }
        if byte == UInt8(ascii: "\\"), let next = rest.popFirst() { bytes.append(next) } else { bytes.append(byte) }
      }
      return nil
    }
  }
}
