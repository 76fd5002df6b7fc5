/// A table for people: columns aligned in plain text, and Markdown all the same.
package struct MarkdownTable: Sendable {
  package enum Alignment: Sendable { case left, right }

  package struct Column: Sendable {
    package let title: String
    package let alignment: Alignment

    package init(_ title: String, _ alignment: Alignment = .right) {
      self.title = title
      self.alignment = alignment
    }
  }

  package let columns: [Column]
  package private(set) var rows: [[String]] = []

  package init(_ columns: [Column]) { self.columns = columns }

  /// Cells beyond the columns are left out, missing ones are empty.
  package mutating func add(_ cells: [String]) {
    rows.append(columns.indices.map { $0 < cells.count ? Self.escaped(cells[$0]) : "" })
  }

  /// One line a row, ended; widths count characters.
  package var text: String {
    let titles = columns.map { Self.escaped($0.title) }
    let widths = columns.indices.map { index in (rows.map { $0[index].count } + [titles[index].count, 3]).max() ?? 3 }
    func line(_ cells: [String]) -> String {
      let padded = cells.indices.map { index -> String in
        let space = String(repeating: " ", count: widths[index] - cells[index].count)
        return columns[index].alignment == .left ? cells[index] + space : space + cells[index]
      }
      return "| " + padded.joined(separator: " | ") + " |\n"
    }
    let rule = columns.indices.map { index -> String in
      let dashes = String(repeating: "-", count: widths[index] + 1)
      return columns[index].alignment == .left ? dashes + "-" : dashes + ":"
    }
    return line(titles) + "|" + rule.joined(separator: "|") + "|\n" + rows.map(line).joined()
  }

  /// What would end a cell, or a line, is put so that it does not.
  private static func escaped(_ cell: String) -> String {
    var result = ""
    for scalar in cell.unicodeScalars {
      switch scalar {
      case "|": result += "\\|"
      case "\n", "\r", "\t": result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
