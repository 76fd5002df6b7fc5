import Diagnostics
import Plotting

// The blocks that a report has in every format, as HTML.

extension HTMLWriter {
  /// - Parameter level: of the first heading; deeper ones follow it.
  mutating func add(_ document: ReportDocument, from level: Int = 3) {
    let shift = document.blocks.compactMap { if case .heading(let level, _) = $0 { level } else { nil } }.min().map { level - $0 } ?? 0
    for block in document.blocks {
      switch block {
      case .heading(let level, let text): element("h\(min(6, level + shift))", text)
      case .paragraph(let spans): element("p") { html in for span in spans { html.add(span) } }
      case .list(let items):
        element("ul") { html in for item in items { html.element("li") { html in for span in item { html.add(span) } } } }
      case .code(let lines): code(lines.joined(separator: "\n"))
      case .table(let table): add(table)
      }
    }
  }

  mutating func code(_ text: String, most: Int = 4_000) {
    element("pre", ["tabindex": "0"]) { html in html.sayBlock(text, most: most) }
  }

  /// In a box of its own that scrolls where the page is narrower than the table.
  ///
  /// - Parameter label: what it is, for those who do not see it.
  mutating func add(_ table: ReportDocument.Table, label: String = "Table", class name: String? = nil) {
    guard !table.rows.isEmpty else { return }
    element("div", ["class": "scroll", "tabindex": "0", "role": "region", "aria-label": label]) { html in
      html.element("table", ["class": name]) { html in
        html.element("thead") { html in
          html.element("tr") { html in
            for column in table.columns { html.element("th", ["scope": "col", "class": Self.side(column)], column.title) }
          }
        }
        html.element("tbody") { html in
          for row in table.rows {
            html.element("tr") { html in
              for (place, cell) in row.enumerated() { html.add(cell, table.columns[place], isHead: place == 0) }
            }
          }
        }
      }
    }
    lineBreak()
  }

  private mutating func add(_ cell: ReportDocument.Cell, _ column: ReportDocument.Column, isHead: Bool) {
    let classes = [Self.side(column), Self.shade(cell.shade)].compactMap(\.self).joined(separator: " ")
    element(isHead ? "th" : "td", ["scope": isHead ? "row" : nil, "class": classes.isEmpty ? nil : classes]) { html in
      html.add(cell.span)
    }
  }

  mutating func add(_ span: ReportDocument.Span) {
    switch span {
    case .plain(let text): say(text)
    case .strong(let text): element("strong", text)
    case .code(let text): element("code", VisibleText.line(text, most: 400))
    }
  }

  private static func side(_ column: ReportDocument.Column) -> String? { column.alignment == .right ? "n" : nil }

  /// A change has one of six strengths, five points apart; the number says it all the same.
  private static func shade(_ shade: ReportDocument.Shade) -> String? {
    switch shade {
    case .none, .score: nil
    case .bad: "bad"
    case .change(let change):
      if !change.isFinite || abs(change) < 0.0005 { nil } else { change < 0 ? "loss\(strength(change))" : "gain\(strength(change))" }
    }
  }

  private static func strength(_ change: Double) -> Int { min(Palette.steps, Int(min(abs(change) * 20, 100)) + 1) }
}
