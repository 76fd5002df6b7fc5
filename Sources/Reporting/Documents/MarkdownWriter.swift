import Diagnostics

/// A document as Markdown that GitHub shows well. Text is shown as text: nothing in it becomes markup, ends a cell or pings anybody.
struct MarkdownWriter {
  /// Characters of one text that are shown.
  static let longest = 400

  static func text(_ document: ReportDocument) -> String {
    document.blocks.map(block).joined(separator: "\n")
  }

  private static func block(_ block: ReportDocument.Block) -> String {
    switch block {
    case .heading(let level, let text): String(repeating: "#", count: level) + " " + escaped(VisibleText.line(text, most: longest)) + "\n"
    case .paragraph(let spans): line(spans) + "\n"
    case .list(let items): items.map { "- " + line($0) + "\n" }.joined()
    case .code(let lines): fenced(lines)
    case .table(let table): self.table(table)
    }
  }

  private static func line(_ spans: [ReportDocument.Span]) -> String {
    let text = spans.map { span($0, inTable: false) }.joined()
    // What would begin a list, a heading or a block of code at the beginning of a line.
    let rest = text.drop { $0 == " " }
    guard let first = rest.unicodeScalars.first else { return String(rest) }
    if "-+=#>".unicodeScalars.contains(first) { return "\\" + rest }
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    if !digits.isEmpty, let mark = rest.dropFirst(digits.count).first, mark == "." || mark == ")" {
      return digits + "\\" + rest.dropFirst(digits.count)
    }
    return String(rest)
  }

  static func span(_ span: ReportDocument.Span, inTable: Bool) -> String {
    switch span {
    case .plain(let text): return escaped(VisibleText.line(text, most: longest))
    case .strong(let text):
      let shown = escaped(VisibleText.line(text, most: longest))
      return shown.isEmpty ? "" : "**\(shown)**"
    case .code(let text): return code(VisibleText.line(text, most: longest), inTable: inTable)
    }
  }

  /// Between as many backticks as do not stand in it.
  private static func code(_ text: String, inTable: Bool) -> String {
    if text.isEmpty { return "" }
    // In a table a bar ends the cell even between backticks, unless behind a backslash; which may itself stand behind one.
    if inTable, text.contains("|") { return "<code>\(entities(text))</code>" }
    let fence = String(repeating: "`", count: longestRun(of: "`", in: text) + 1)
    // One space at both ends is taken off again; of nothing but spaces none is.
    let isBlank = text.allSatisfy { $0 == " " }
    let needsRoom = text.first == "`" || text.last == "`" || (text.first == " " && text.last == " " && !isBlank)
    let body = needsRoom ? " \(text) " : text
    return fence + body + fence
  }

  /// Every mark by its number.
  private static func entities(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      if scalar.isASCII, !isWord(scalar), scalar != " " { result += "&#\(scalar.value);" } else { result.unicodeScalars.append(scalar) }
    }
    return result
  }

  private static func longestRun(of mark: Unicode.Scalar, in text: String) -> Int {
    var (longest, run) = (0, 0)
    for scalar in text.unicodeScalars {
      run = scalar == mark ? run + 1 : 0
      longest = max(longest, run)
    }
    return longest
  }

  private static func fenced(_ lines: [String]) -> String {
    let shown = lines.map { VisibleText.line($0, most: 4000) }
    let fence = String(repeating: "`", count: max(3, (shown.map { longestRun(of: "`", in: $0) }.max() ?? 0) + 1))
    return fence + "\n" + shown.map { $0 + "\n" }.joined() + fence + "\n"
  }

  // MARK: - Tables

  private static func table(_ table: ReportDocument.Table) -> String {
    let titles = table.columns.map { span(.plain($0.title), inTable: true) }
    let rows = table.rows.map { row in row.map { span($0.span, inTable: true) } }
    let widths = table.columns.indices.map { index in
      (rows.map { TerminalColumns.count($0[index]) } + [TerminalColumns.count(titles[index]), 3]).max() ?? 3
    }
    func line(_ cells: [String]) -> String {
      let padded = cells.indices.map { index -> String in
        // A long cell would make every line of the file as long.
        let space = String(repeating: " ", count: max(0, min(widths[index], 60) - TerminalColumns.count(cells[index])))
        return table.columns[index].alignment == .left ? cells[index] + space : space + cells[index]
      }
      return "| " + padded.joined(separator: " | ") + " |\n"
    }
    let rule = table.columns.indices.map { index -> String in
      let dashes = String(repeating: "-", count: min(widths[index], 60) + 1)
      return table.columns[index].alignment == .left ? dashes + "-" : dashes + ":"
    }
    return line(titles) + "|" + rule.joined(separator: "|") + "|\n" + rows.map(line).joined()
  }

  // MARK: - Escapes

  /// Plain text: what would be markup is written so that it is not.
  static func escaped(_ text: String) -> String {
    var result = ""
    let scalars = Array(text.unicodeScalars)
    for (index, scalar) in scalars.enumerated() {
      switch scalar {
      case "\\", "`", "*", "[", "]", "|", "~", "$": result += "\\" + String(scalar)
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      // Whoever is called so is not to hear of it.
      case "@": result += "&#64;"
      case "_":
        let isInside = index > 0 && index + 1 < scalars.count && isWord(scalars[index - 1]) && isWord(scalars[index + 1])
        result += isInside ? "_" : "\\_"
      // No address becomes a link.
      case ":" where index + 2 < scalars.count && scalars[index + 1] == "/" && scalars[index + 2] == "/": result += "&#58;"
      case "." where index >= 3 && scalars[index - 3..<index].allSatisfy { $0 == "w" || $0 == "W" }: result += "&#46;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isAlphabetic || scalar.properties.numericType != nil
  }
}
