import CLibYAML
import Diagnostics

/// Makes a diagnostic of libyaml's report, with better words for the mistakes this language invites.
enum YAMLSyntaxError {
  static func diagnostic(_ parser: yaml_parser_t, _ source: SourceFile) -> Diagnostic {
    if parser.error == YAML_READER_ERROR {
      return Diagnostic(.error, YAMLText.control, at: source.location(ofByte: parser.problem_offset + YAMLEvents.start(source)))
    }
    let place = location(parser.problem_mark, source)
    if let found = unquoted(upTo: place, source) { return found }
    let problem = parser.problem.map { String(cString: $0) } ?? "the text cannot be read"
    if problem == "found character that cannot start any token", let character = character(at: place, source) {
      return Diagnostic(.error, character == "\t" ? YAMLText.tab : YAMLText.cannotStart(character), at: place)
    }
    var notes: [Diagnostic.Note] = []
    if let context = parser.context.flatMap({ YAMLText.context(String(cString: $0)) }) {
      let opening = location(parser.context_mark, source)
      if opening != place { notes.append(.init(context, at: opening)) }
    }
    return Diagnostic(.error, YAMLText.syntax(problem), at: place, notes: notes)
  }

  private static func location(_ mark: yaml_mark_t, _ source: SourceFile) -> SourceLocation {
    SourceLocation(source: source, line: Int(mark.line) + 1, column: Int(mark.column) + 1)
  }

  private static func character(at place: SourceLocation, _ source: SourceFile) -> Character? {
    guard let line = source.line(Int(place.line)) else { return nil }
    return line.unicodeScalars.dropFirst(Int(place.column) - 1).first.map(Character.init)
  }

  // MARK: - Unquoted placeholders and brackets

  /// The first `${` or `name[` that stands without quotes inside braces or brackets, at or before the place of the error.
  private static func unquoted(upTo place: SourceLocation, _ source: SourceFile) -> Diagnostic? {
    var scan = FlowScan()
    for number in max(1, Int(place.line) - 50)...Int(place.line) {
      guard let line = source.line(number), let found = scan.find(Array(line.unicodeScalars)) else { continue }
      let location = SourceLocation(source: source, line: number, column: found.column + 1, length: found.length)
      return Diagnostic(.error, found.isPlaceholder ? YAMLText.unquotedPlaceholder : YAMLText.unquotedBracket, at: location)
    }
    return nil
  }
}

/// Looks line by line for what flow collections do not take without quotes. A guess at the structure is enough: it only looks at text
/// that a parser has failed on already.
private struct FlowScan {
  struct Found {
    let column: Int
    let length: Int
    let isPlaceholder: Bool
  }

  private var depth = 0

  mutating func find(_ line: [Unicode.Scalar]) -> Found? {
    // A key at the margin ends whatever seemed open before it.
    if let first = line.first, Self.isNameScalar(first) { depth = 0 }
    var quote: Unicode.Scalar?
    var tokenStart = line.firstIndex { $0 != " " } ?? 0
    var previous: Unicode.Scalar = " "
    for (column, scalar) in line.enumerated() {
      defer { previous = scalar }
      if let open = quote {
        if scalar == open { quote = nil }
        continue
      }
      switch scalar {
      case "\"", "'":
        if !Self.isNameScalar(previous) { quote = scalar }
      case "#" where previous == " ": return nil
      case "{" where previous == "$" && depth > 0:
        return Found(column: tokenStart, length: Self.extent(line, tokenStart), isPlaceholder: true)
      case "[" where Self.isNameScalar(previous) && depth > 0:
        return Found(column: tokenStart, length: Self.extent(line, tokenStart), isPlaceholder: false)
      case "{", "[":
        if !Self.isNameScalar(previous) && previous != "$" { depth += 1 }
        tokenStart = column + 1
      case "}", "]":
        depth = max(0, depth - 1)
        tokenStart = column + 1
      case " ", ",": tokenStart = column + 1
      default: break
      }
    }
    return nil
  }

  private static func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_" || scalar == "-"
  }

  /// How long the word from `start` is, its own braces and brackets included.
  private static func extent(_ line: [Unicode.Scalar], _ start: Int) -> Int {
    var depth = 0
    for column in start..<line.count {
      switch line[column] {
      case "{", "[": depth += 1
      case "}", "]":
        depth -= 1
        if depth < 0 { return max(1, column - start) }
      case ",", " ": if depth <= 0 { return max(1, column - start) }
      default: break
      }
    }
    return max(1, line.count - start)
  }
}
