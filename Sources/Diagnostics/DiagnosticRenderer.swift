/// Lays diagnostics out for people: `file:line:column: error: message`, the source line, a caret under the place, then the notes.
package struct DiagnosticRenderer: Sendable {
  package enum Style: Sendable { case plain, colored }

  private let style: Style
  private let widestLine: Int

  /// Source lines longer than `widestLine` columns are cut around the place.
  package init(style: Style = .plain, widestLine: Int = 160) {
    self.style = style
    self.widestLine = widestLine
  }

  /// Nobody reads further, and a file can hold as many errors as it has lines.
  private static let mostShown = 100

  /// Each ends in a line break. Of very many the first are shown, errors before warnings.
  package func render(_ diagnostics: [Diagnostic]) -> String {
    let more = diagnostics.count - Self.mostShown
    guard more > 0 else { return diagnostics.map { render($0) + "\n" }.joined() }
    let errors = diagnostics.filter { $0.severity == .error }
    let others = diagnostics.filter { $0.severity != .error }
    return (errors + others).prefix(Self.mostShown).map { render($0) + "\n" }.joined() + "and \(more) more\n"
  }

  /// One diagnostic, without a line break at the end.
  package func render(_ diagnostic: Diagnostic) -> String {
    var lines = block(diagnostic.severity.rawValue, diagnostic.text, diagnostic.location, color: diagnostic.severity == .error ? 31 : 35)
    for note in diagnostic.notes.prefix(Self.mostShown) { lines += block("note", note.message, note.location, color: 36) }
    if diagnostic.notes.count > Self.mostShown { lines.append("and \(diagnostic.notes.count - Self.mostShown) more places") }
    return lines.joined(separator: "\n")
  }

  private func block(_ label: String, _ message: String, _ location: SourceLocation?, color: Int) -> [String] {
    let place = location.map { "\($0.text): " } ?? ""
    let header = painted(place, "1") + painted("\(label):", "1;\(color)") + " " + painted(message, "1")
    guard let location, location.source.kind == .file, let line = location.source.line(Int(location.line)) else { return [header] }
    let excerpt = Excerpt(line, column: Int(location.column), length: Int(location.length), widest: widestLine)
    return [header, excerpt.text, excerpt.padding + painted(excerpt.marker, "1;32")]
  }

  private func painted(_ text: String, _ code: String) -> String {
    style == .plain || text.isEmpty ? text : "\u{1B}[\(code)m\(text)\u{1B}[0m"
  }
}

/// The part of a source line that is shown, and what stands under it.
private struct Excerpt {
  let text: String
  let padding: String
  let marker: String

  init(_ line: String, column: Int, length: Int, widest: Int) {
    let scalars = line.unicodeScalars.map(Self.printable)
    let place = min(column - 1, scalars.count)
    let start = scalars.count <= widest ? 0 : max(0, min(place - widest / 2, scalars.count - widest))
    let end = min(scalars.count, start + widest)
    let meant = max(1, min(length, end - place))
    let lead = start > 0 ? "…" : ""
    text = lead + Self.string(scalars[start..<end]) + (end < scalars.count ? "…" : "")
    padding = String(repeating: " ", count: lead.isEmpty ? 0 : 1) + scalars[start..<place].map(Self.blank).joined()
    let width = scalars[place..<min(place + meant, scalars.count)].reduce(0) { $0 + DisplayWidth.columns($1) }
    marker = "^" + String(repeating: "~", count: max(width - 1, 0))
  }

  private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text)
  }

  /// What stands for a scalar in the line of the caret: as many columns, and a tab for a tab.
  private static func blank(_ scalar: Unicode.Scalar) -> String {
    scalar == "\t" ? "\t" : String(repeating: " ", count: DisplayWidth.columns(scalar))
  }

  /// Control characters would move the cursor or worse.
  private static func printable(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || (0x202A...0x202E).contains(scalar.value)
    return isControl && scalar != "\t" ? "\u{FFFD}" : scalar
  }
}
