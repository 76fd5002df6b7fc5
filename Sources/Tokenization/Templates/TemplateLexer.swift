/// Cuts a template into plain text and the words inside its tags, with the spaces around tags trimmed as transformers asks Jinja to
/// (`trim_blocks`, `lstrip_blocks`, and `-` and `+` in the tags).
struct TemplateLexer {
  enum Tag: Sendable { case output, block }

  enum Token: Sendable, Equatable {
    case name(String)
    case string(String)
    case integer(Int)
    case symbol(String)
  }

  enum Part {
    case text(String)
    case tag(Tag, [Token], line: Int)
  }

  private let source: [UInt8]
  private var at = 0
  private var line = 1
  /// Whether what came before ended a line, tags and trimmed newlines included.
  private var atLineStart = true
  private var parts: [Part] = []

  static func parts(_ template: String) throws(TemplateFault) -> [Part] {
    var lexer = TemplateLexer(template)
    try lexer.run()
    return lexer.parts
  }

  /// Newlines become `\n`; one at the very end is dropped.
  private init(_ template: String) {
    var bytes: [UInt8] = []
    var previous: UInt8 = 0
    for byte in template.utf8 {
      if byte == UInt8(ascii: "\r") {
        bytes.append(UInt8(ascii: "\n"))
      } else if byte != UInt8(ascii: "\n") || previous != UInt8(ascii: "\r") {
        bytes.append(byte)
      }
      previous = byte
    }
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    source = bytes
  }

  private mutating func run() throws(TemplateFault) {
    while at < source.count {
      let start = at
      while at < source.count, !isOpening { advance() }
      guard at < source.count else { return emit(source[start...]) }
      let kind = source[at + 1]
      let control = at + 2 < source.count ? source[at + 2] : 0
      emit(trimmed(source[start..<at], kind: kind, control: control))
      at += control == UInt8(ascii: "-") || control == UInt8(ascii: "+") ? 3 : 2
      atLineStart = false
      switch kind {
      case UInt8(ascii: "#"): try skipComment()
      case UInt8(ascii: "%"): try tag(.block, closing: "%}")
      default: try tag(.output, closing: "}}")
      }
    }
  }

  private var isOpening: Bool {
    guard source[at] == UInt8(ascii: "{"), at + 1 < source.count else { return false }
    return [UInt8(ascii: "{"), UInt8(ascii: "%"), UInt8(ascii: "#")].contains(source[at + 1])
  }

  private mutating func advance() {
    if source[at] == UInt8(ascii: "\n") { line += 1 }
    at += 1
  }

  private mutating func emit(_ text: ArraySlice<UInt8>) {
    if !text.isEmpty { parts.append(.text(String(decoding: text, as: UTF8.self))) }
  }

  /// The text before a tag without the spaces that the tag takes away.
  private func trimmed(_ text: ArraySlice<UInt8>, kind: UInt8, control: UInt8) -> ArraySlice<UInt8> {
    if control == UInt8(ascii: "-") { return text.trimmingEnd() }
    guard kind != UInt8(ascii: "{"), control != UInt8(ascii: "+") else { return text }
    let lineStart = text.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
    guard let start = lineStart ?? (atLineStart ? text.startIndex : nil) else { return text }
    return text[start...].allSatisfy(\.isTemplateSpace) ? text[..<start] : text
  }

  /// What stands after a tag's end: all spaces after `-`, one newline after a block or comment.
  private mutating func afterTag(dash: Bool, newline: Bool) {
    if dash {
      while at < source.count, source[at].isTemplateSpace {
        atLineStart = source[at] == UInt8(ascii: "\n")
        advance()
      }
    } else if newline, at < source.count, source[at] == UInt8(ascii: "\n") {
      advance()
      atLineStart = true
    }
  }

  private mutating func skipComment() throws(TemplateFault) {
    let start = line
    while at + 1 < source.count {
      if source[at] == UInt8(ascii: "#"), source[at + 1] == UInt8(ascii: "}") {
        let dash = source[at - 1] == UInt8(ascii: "-")
        at += 2
        return afterTag(dash: dash, newline: true)
      }
      advance()
    }
    throw TemplateFault(line: start, message: "the comment does not end")
  }

  // MARK: - Inside a tag

  private mutating func tag(_ kind: Tag, closing: String) throws(TemplateFault) {
    let start = line
    var tokens: [Token] = []
    var depth = 0
    while true {
      while at < source.count, source[at].isTemplateSpace { advance() }
      guard at < source.count else { throw TemplateFault(line: start, message: "the tag does not end") }
      if depth == 0 {
        let dash = starts("-" + closing)
        if dash || starts(closing) {
          at += dash ? 3 : 2
          parts.append(.tag(kind, tokens, line: start))
          return afterTag(dash: dash, newline: kind == .block)
        }
      }
      let token = try token()
      if case .symbol(let symbol) = token {
        if ["(", "[", "{"].contains(symbol) { depth += 1 }
        if [")", "]", "}"].contains(symbol) { depth -= 1 }
      }
      tokens.append(token)
    }
  }

  private func starts(_ text: String) -> Bool { source[at...].starts(with: text.utf8) }

  private mutating func token() throws(TemplateFault) -> Token {
    let byte = source[at]
    if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") { return .string(try string(quote: byte)) }
    if byte.isTemplateLetter { return .name(word()) }
    if byte.isTemplateDigit {
      let digits = word()
      guard let value = Int(digits) else { throw TemplateFault(line: line, message: "'\(digits)' is no integer") }
      return .integer(value)
    }
    for symbol in ["==", "!=", "<=", ">=", "//", "**"] where starts(symbol) {
      at += 2
      return .symbol(symbol)
    }
    at += 1
    let symbol = String(decoding: [byte], as: UTF8.self)
    guard "+-*/%~|.,:()[]{}<>=".utf8.contains(byte) else {
      throw TemplateFault(line: line, message: "'\(symbol)' is no part of a template")
    }
    return .symbol(symbol)
  }

  private mutating func word() -> String {
    let start = at
    while at < source.count, source[at].isTemplateLetter || source[at].isTemplateDigit { at += 1 }
    return String(decoding: source[start..<at], as: UTF8.self)
  }

  private mutating func string(quote: UInt8) throws(TemplateFault) -> String {
    let start = line
    var bytes: [UInt8] = []
    at += 1
    while at < source.count, source[at] != quote {
      if source[at] == UInt8(ascii: "\\"), at + 1 < source.count {
        advance()
        bytes += try escape()
      } else {
        bytes.append(source[at])
        advance()
      }
    }
    guard at < source.count else { throw TemplateFault(line: start, message: "the string does not end") }
    at += 1
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What stands for a backslash and the letter at the place now.
  private mutating func escape() throws(TemplateFault) -> [UInt8] {
    let letter = source[at]
    advance()
    switch letter {
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "v"): return [0x0B]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "a"): return [0x07]
    case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): return [letter]
    case UInt8(ascii: "\n"): return []
    case UInt8(ascii: "x"): return try scalar(digits: 2)
    case UInt8(ascii: "u"): return try scalar(digits: 4)
    case UInt8(ascii: "U"): return try scalar(digits: 8)
    case _ where letter.isTemplateDigit: throw TemplateFault(line: line, message: "octal escapes are not supported")
    default: return [UInt8(ascii: "\\"), letter]
    }
  }

  private mutating func scalar(digits: Int) throws(TemplateFault) -> [UInt8] {
    let text = String(decoding: source[at..<min(at + digits, source.count)], as: UTF8.self)
    guard text.utf8.count == digits, let value = UInt32(text, radix: 16), let scalar = Unicode.Scalar(value) else {
      throw TemplateFault(line: line, message: "'\(text)' is no scalar of \(digits) hexadecimal digits")
    }
    at += digits
    return Array(String(scalar).utf8)
  }
}

extension UInt8 {
  fileprivate var isTemplateSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
  fileprivate var isTemplateDigit: Bool { (0x30...0x39).contains(self) }
  fileprivate var isTemplateLetter: Bool { (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) || self == 0x5F }
}

extension ArraySlice<UInt8> {
  fileprivate func trimmingEnd() -> ArraySlice<UInt8> {
    var copy = self
    while let last = copy.last, last.isTemplateSpace { copy.removeLast() }
    return copy
  }
}
