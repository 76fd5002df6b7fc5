import Diagnostics

/// A document for a terminal: columns by the width of what is in them, colours where there are any, nothing that moves the cursor.
struct TerminalWriter {
  let style: TerminalStyle

  private static let gap = "  "

  /// Columns that one cell may take: two fit beside each other.
  private var widest: Int { max(16, min(60, (style.columns ?? 120) / 2 - Self.gap.count)) }

  func text(_ document: ReportDocument) -> String {
    document.blocks.map { block($0).map { $0 + "\n" }.joined() }.joined(separator: "\n")
  }

  private func block(_ block: ReportDocument.Block) -> [String] {
    switch block {
    case .heading(let level, let text): heading(level, fit(VisibleText.line(text)))
    case .paragraph(let spans): wrapped(plain(spans), indent: "")
    case .list(let items): items.flatMap { wrapped("- " + plain($0), indent: "  ") }
    case .code(let lines): lines.map { fit("  " + VisibleText.line($0, most: 400)) }
    case .table(let table): self.table(table)
    }
  }

  private func heading(_ level: Int, _ text: String) -> [String] {
    if style.depth != .none { return ["\u{1B}[1m\(text)\u{1B}[0m"] }
    return level > 2 ? [text] : [text, String(repeating: level == 1 ? "=" : "-", count: TerminalColumns.count(text))]
  }

  private func plain(_ spans: [ReportDocument.Span]) -> String { spans.map { Self.plain($0, most: 400) }.joined() }

  private static func plain(_ span: ReportDocument.Span, most: Int) -> String {
    switch span {
    case .plain(let text), .strong(let text), .code(let text): VisibleText.line(text, most: most)
    }
  }

  private func fit(_ line: String) -> String { style.columns.map { TerminalColumns.cut(line, to: max($0, 20)) } ?? line }

  /// Broken between words; a word that is longer than a line is cut.
  private func wrapped(_ text: String, indent: String) -> [String] {
    guard let columns = style.columns.map({ max(20, min($0, 110)) }) else { return [text] }
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      let longer = line.isEmpty ? (lines.isEmpty ? "" : indent) + word : line + " " + word
      if !line.isEmpty, TerminalColumns.count(longer) > columns {
        lines.append(TerminalColumns.cut(line, to: columns))
        line = indent + word
      } else {
        line = longer
      }
    }
    return lines + [TerminalColumns.cut(line, to: columns)]
  }

  /// In red what got worse, bold what got better: with 16 colours there is no scale, and no other of them is read on black and on white.
  private static func marked(_ text: String, _ shade: ReportDocument.Shade) -> String {
    switch shade {
    case .bad: "\u{1B}[31m\(text)\u{1B}[0m"
    case .change(let share) where share.isFinite && abs(share) >= 0.01: "\u{1B}[\(share < 0 ? 31 : 1)m\(text)\u{1B}[0m"
    default: text
    }
  }

  // MARK: - Tables

  /// A table that is wider than the terminal goes on below, its first column again in front.
  private func table(_ table: ReportDocument.Table) -> [String] {
    let wholeTitles = table.columns.map { VisibleText.line($0.title) }
    let wholeCells = table.rows.map { row in row.map { Self.plain($0.span, most: 200) } }
    let limits = limits(
      wholeTitles.indices.map { index in
        max(TerminalColumns.count(wholeTitles[index]), wholeCells.map { TerminalColumns.count($0[index]) }.max() ?? 0)
      })
    let titles = zip(wholeTitles, limits).map { TerminalColumns.cut($0, to: $1) }
    // What stands first is a name, most often of an instance, and its end tells it from the next.
    let cells = wholeCells.map { row in
      row.indices.map { $0 == 0 ? TerminalColumns.cutName(row[0], to: limits[0]) : TerminalColumns.cut(row[$0], to: limits[$0]) }
    }
    let widths = titles.indices.map { index in
      max(TerminalColumns.count(titles[index]), cells.map { TerminalColumns.count($0[index]) }.max() ?? 0)
    }
    var lines: [String] = []
    for part in parts(widths) {
      if !lines.isEmpty { lines.append("") }
      lines.append(line(part.map { (titles[$0], .none) }, part, widths, table, isTitle: true))
      for (row, texts) in zip(table.rows, cells) {
        lines.append(line(part.map { (texts[$0], row[$0].shade) }, part, widths, table, isTitle: false))
      }
    }
    return lines
  }

  /// What each column may take: all it wants when that fits, or when one of two has the rest of the line.
  private func limits(_ wanted: [Int]) -> [Int] {
    guard let columns = style.columns else { return wanted.map { min($0, widest) } }
    if wanted.reduce(-Self.gap.count, { $0 + $1 + Self.gap.count }) <= columns { return wanted }
    guard wanted.count == 2 else { return wanted.map { min($0, widest) } }
    let first = min(wanted[0], widest)
    return [first, max(widest, columns - first - Self.gap.count)]
  }

  /// Columns that fit beside each other.
  private func parts(_ widths: [Int]) -> [[Int]] {
    guard let columns = style.columns, let first = widths.first else { return [Array(widths.indices)] }
    var parts: [[Int]] = [[0]]
    var width = first
    for index in widths.indices.dropFirst() {
      let more = widths[index] + Self.gap.count
      if width + more > columns, parts[parts.count - 1].count > 1 {
        parts.append([0])
        width = first
      }
      parts[parts.count - 1].append(index)
      width += more
    }
    return parts
  }

  private func line(
    _ cells: [(text: String, shade: ReportDocument.Shade)], _ columns: [Int], _ widths: [Int], _ table: ReportDocument.Table, isTitle: Bool
  ) -> String {
    let parts = zip(cells, columns).map { cell, column -> String in
      let space = String(repeating: " ", count: widths[column] - TerminalColumns.count(cell.text))
      let isLast = column == columns.last
      let padded = table.columns[column].alignment == .right ? space + cell.text : isLast ? cell.text : cell.text + space
      guard style.depth != .none else { return padded }
      if isTitle { return "\u{1B}[2m\(padded)\u{1B}[0m" }
      if style.depth == .colors16 { return Self.marked(padded, cell.shade) }
      return CellColor(cell.shade).map { $0.escape(style.depth) + padded + "\u{1B}[0m" } ?? padded
    }
    var line = parts.joined(separator: Self.gap)
    while line.last == " " { line.removeLast() }
    return line
  }
}
