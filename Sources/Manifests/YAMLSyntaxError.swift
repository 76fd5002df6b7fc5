import CLibYAML
import Diagnostics

/// Makes a diagnostic of libyaml's report, with better words for the mistakes this language invites.
enum YAMLSyntaxError {
  static func diagnostic(_ parser: yaml_parser_t, _ source: SourceFile) -> Diagnostic {
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

  /// The first `${` or `name[` that stands without quotes inside braces or brackets, on the line of the error or just before it.
  private static func unquoted(upTo place: SourceLocation, _ source: SourceFile) -> Diagnostic? {
    for number in max(1, Int(place.line) - 20)...Int(place.line) {
      guard let line = source.line(number), let found = FlowScan.find(Array(line.unicodeScalars)) else { continue }
      if number < Int(place.line) && !found.breaksLine { continue }
      let location = SourceLocation(source: source, line: number, column: found.column + 1, length: found.length)
      return Diagnostic(.error, found.isPlaceholder ? YAMLText.unquotedPlaceholder : YAMLText.unquotedBracket, at: location)
    }
    return nil
  }
}

/// Looks through one line for what flow collections do not take without quotes.
private struct FlowScan {
  let column: Int
  let length: Int
  let isPlaceholder: Bool
  /// Whether a parser that read this line would have failed in it.
  let breaksLine: Bool

  static func find(_ line: [Unicode.Scalar]) -> FlowScan? {
    var depth = 0
    var quote: Unicode.Scalar?
    var tokenStart = 0
    var previous: Unicode.Scalar = " "
    for (column, scalar) in line.enumerated() {
      defer { previous = scalar }
      if let open = quote {
        if scalar == open { quote = nil }
        continue
      }
      switch scalar {
      case "\"", "'":
        if !isNameScalar(previous) { quote = scalar }
      case "#" where previous == " ": return nil
      case "{" where previous == "$" && depth > 0:
        return FlowScan(column: tokenStart, length: extent(line, tokenStart), isPlaceholder: true, breaksLine: true)
      case "[" where isNameScalar(previous) && depth > 0:
        return FlowScan(column: tokenStart, length: extent(line, tokenStart), isPlaceholder: false, breaksLine: true)
      case "{", "[":
        if !isNameScalar(previous) && previous != "$" { depth += 1 }
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
