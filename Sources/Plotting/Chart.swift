import Diagnostics

/// A chart as a value: what it shows, as a picture, as a table for people and as data for programs. It knows neither files nor pages.
package protocol Chart: Sendable {
  var title: String { get }
  /// One `<svg>` element, the same text for the same chart and style.
  func svg(_ style: ChartStyle) -> String
  /// Everything that is shown, and what there was no room to show.
  var data: ChartData { get }
}

extension Chart {
  package var table: MarkdownTable { data.table }
  package var csv: String { data.csv }
}

/// Rows and columns behind a chart, of which table and CSV are two ways to write them.
package struct ChartData: Sendable, Equatable {
  package enum Cell: Sendable, Equatable {
    case text(String)
    case number(Double)
    case missing

    package init(_ value: Double?) { self = value.map(Cell.number) ?? .missing }
  }

  package let columns: [String]
  package private(set) var rows: [[Cell]] = []

  package init(_ columns: [String]) { self.columns = columns }

  package mutating func add(_ row: [Cell]) { rows.append(row) }

  /// Numbers with four significant digits; names bounded, with marks for what does not show.
  package var table: MarkdownTable {
    let isText = columns.indices.map { column in
      rows.contains { if $0.indices.contains(column), case .text = $0[column] { true } else { false } }
    }
    var table = MarkdownTable(zip(columns, isText).map { .init(VisibleText.line($0), $1 ? .left : .right) })
    for row in rows {
      table.add(
        row.map { cell in
          switch cell {
          case .text(let text): VisibleText.line(text)
          case .number(let value): NumberText.short(value)
          case .missing: "–"
          }
        })
    }
    return table
  }

  /// RFC 4180 with a line of names, numbers in full, what is missing empty. A name that a spreadsheet would take for a formula has an
  /// apostrophe before it.
  package var csv: String {
    var text = columns.map(Self.quoted).joined(separator: ",") + "\r\n"
    for row in rows {
      text +=
        row.map { cell in
          switch cell {
          case .text(let text): Self.quoted(text)
          case .number(let value): NumberText.exact(value)
          case .missing: ""
          }
        }.joined(separator: ",") + "\r\n"
    }
    return text
  }

  private static func quoted(_ text: String) -> String {
    let safe = text.utf8.first.map { "=+-@\t\r".utf8.contains($0) } == true ? "'" + text : text
    guard safe.utf8.contains(where: { "\",\r\n".utf8.contains($0) }) else { return safe }
    var result = "\""
    for scalar in safe.unicodeScalars {
      if scalar == "\"" { result += "\"" }
      result.unicodeScalars.append(scalar)
    }
    return result + "\""
  }
}

/// A number, and how far it may be off.
package struct PlottedValue: Sendable, Equatable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  package let value: Double
  /// Both ends of its interval, or neither.
  package let interval: ClosedRange<Double>?

  package init(_ value: Double, low: Double? = nil, high: Double? = nil) {
    self.value = value
    if let low, let high, low.isFinite, high.isFinite, low <= high { interval = low...high } else { interval = nil }
  }

  package init(floatLiteral value: Double) { self.init(value) }
  package init(integerLiteral value: Int) { self.init(Double(value)) }

  var low: Double? { interval?.lowerBound }
  var high: Double? { interval?.upperBound }

  /// "92.2 [88.1, 95.4]".
  var text: String {
    NumberText.short(value) + (interval.map { " [\(NumberText.short($0.lowerBound)), \(NumberText.short($0.upperBound))]" } ?? "")
  }
}
