import Foundation

/// A table whose cells are coloured by how they changed: the forgetting matrix. The number stands in the cell, the interval where one
/// points.
package struct Heatmap: Chart {
  package struct Cell: Sendable, Equatable {
    /// Of a value the change is known or not; a base has none.
    package let value: Double?
    package let change: PlottedValue?
    /// "forgetting", "within noise": what is known of the change besides.
    package let verdict: String

    package init(_ value: Double?, change: PlottedValue? = nil, verdict: String = "") {
      self.value = value
      self.change = change
      self.verdict = verdict
    }

    /// Its interval leaves 0 out.
    package var isOutsideNoise: Bool { change?.interval.map { !$0.contains(0) } ?? false }
  }

  package let title: String
  package let rowTitle: String
  package let rows: [String]
  package let columns: [String]
  /// By row; what is not there is not drawn.
  package let cells: [[Cell?]]
  /// "points"; follows the numbers where one points.
  package let unit: String
  package let digits: Int
  /// The change at which the colour is strongest; nil is the largest there is.
  package let extreme: Double?

  package init(
    _ title: String, rowTitle: String = "", rows: [String], columns: [String], cells: [[Cell?]], unit: String = "", digits: Int = 1,
    extreme: Double? = nil
  ) {
    self.title = title
    self.rowTitle = rowTitle
    self.rows = rows
    self.columns = columns
    self.cells = cells
    self.unit = unit
    self.digits = min(max(digits, 0), 9)
    self.extreme = extreme
  }

  private static let mostRows = 200
  private static let mostColumns = 60
  private static let cellHeight = 38.0

  package var data: ChartData {
    var data = ChartData(["row", "column", "value", "change", "low", "high", "verdict"])
    for (row, name) in rows.enumerated() {
      for (column, other) in columns.enumerated() {
        guard let cell = cell(row, column) else { continue }
        data.add([
          .text(name), .text(other), .init(cell.value), .init(cell.change?.value), .init(cell.change?.low), .init(cell.change?.high),
          .text(cell.verdict),
        ])
      }
    }
    return data
  }

  private func cell(_ row: Int, _ column: Int) -> Cell? {
    row < cells.count && column < cells[row].count ? cells[row][column] : nil
  }

  /// -6 … 6; 0 only where nothing changed or nothing is known. Any loss that is seen has the first of its colours.
  package func step(_ cell: Cell) -> Int {
    guard let change = cell.change?.value, !change.isNaN, change != 0 else { return 0 }
    let largest = extreme ?? cells.joined().compactMap { $0?.change?.value.magnitude }.filter(\.isFinite).max() ?? 0
    guard largest > 0 else { return change < 0 ? -Palette.steps : Palette.steps }
    let size = Int(min((change.magnitude / largest * Double(Palette.steps)).rounded(.up), Double(Palette.steps)))
    return change < 0 ? -size : size
  }

  private struct Layout {
    let left, top, cellWidth: Double
    let rows, columns: Int
    let isTurned: Bool
    var width: Double { left + cellWidth * Double(columns) }
  }

  package func svg(_ style: ChartStyle) -> String {
    let entries: [ChartHead.Entry] =
      cells.joined().contains { $0?.change != nil }
      ? [
        .init(name: "worse than the base", swatch: .step(-Palette.steps)), .init(name: "unchanged", swatch: .step(0)),
        .init(name: "better", swatch: .step(Palette.steps)),
      ] : []
    let head = ChartHead(title, entries, width: style.width)
    let layout = layout(style, head)
    var notes: [String] = []
    if cells.joined().contains(where: { $0?.isOutsideNoise == true }) { notes.append("* the change's interval leaves out 0") }
    let hidden = max(0, rows.count - layout.rows) + max(0, columns.count - layout.columns)
    if hidden > 0 { notes.append("\(hidden) more rows and columns in the table") }
    // Where cells cannot be narrower, the picture is wider than asked, and the page scrolls it.
    let width = max(style.width, layout.width + 12)
    let bottom = layout.top + Double(layout.rows) * Self.cellHeight
    let height = bottom + Double(notes.count) * 16 + 12
    var writer = SVGWriter()
    writer.openChart("heatmap", title, style, width: width, height: height)
    head.draw(&writer)
    drawNames(layout, &writer)
    for row in 0..<layout.rows {
      for column in 0..<layout.columns { draw(row, column, layout, &writer) }
    }
    if layout.rows == 0 || layout.columns == 0 { writer.label("no data", ["class": "muted", "x": 12.0, "y": layout.top + 4]) }
    writer.notes(notes, x: 12, y: bottom + 4, width: width)
    writer.closeChart()
    return writer.text
  }

  // MARK: - Parts

  private func layout(_ style: ChartStyle, _ head: ChartHead) -> Layout {
    let (shownRows, shownColumns) = (min(rows.count, Self.mostRows), min(columns.count, Self.mostColumns))
    let names = ([rowTitle] + rows.prefix(shownRows)).map { TextMetrics.width(Markup.shortened($0, to: 60), size: 12) }
    let left = min((names.max() ?? 0) + 26, style.width * 0.34)
    let width = min(max((style.width - left - 12) / Double(max(shownColumns, 1)), 46), 110)
    let widest = columns.prefix(shownColumns).map { TextMetrics.width(Markup.shortened($0, to: 60), size: 12) }.max() ?? 0
    let isTurned = widest > width - 8
    let header = isTurned ? min(widest, 130) * 0.71 + 16 : 22
    return Layout(
      left: left, top: head.height + header + 6, cellWidth: width, rows: shownRows, columns: shownColumns, isTurned: isTurned)
  }

  private func drawNames(_ layout: Layout, _ writer: inout SVGWriter) {
    if !rowTitle.isEmpty {
      let text = TextMetrics.fitted(rowTitle, width: layout.left - 20, size: 11)
      writer.label(text, ["class": "small muted end", "x": layout.left - 8, "y": layout.top - 7], whole: rowTitle)
    }
    for row in 0..<layout.rows {
      let text = TextMetrics.fitted(rows[row], width: layout.left - 20, size: 12)
      let y = layout.top + (Double(row) + 0.5) * Self.cellHeight + 4
      writer.label(text, ["class": "end", "x": layout.left - 8, "y": y], whole: rows[row])
    }
    for column in 0..<layout.columns {
      let x = layout.left + (Double(column) + 0.5) * layout.cellWidth
      let text = TextMetrics.fitted(columns[column], width: layout.isTurned ? 130 : layout.cellWidth - 6, size: 12)
      if layout.isTurned {
        let turn = "rotate(-45 \((x - 2).svg) \((layout.top - 6).svg))"
        writer.label(text, ["x": x - 2, "y": layout.top - 6, "transform": turn], whole: columns[column])
      } else {
        writer.label(text, ["class": "middle", "x": x, "y": layout.top - 7], whole: columns[column])
      }
    }
  }

  private func draw(_ row: Int, _ column: Int, _ layout: Layout, _ writer: inout SVGWriter) {
    let (x, y) = (layout.left + Double(column) * layout.cellWidth, layout.top + Double(row) * Self.cellHeight)
    guard let cell = cell(row, column), let value = cell.value, value.isFinite else {
      writer.add(
        "rect", ["class": "absent", "x": x + 1, "y": y + 1, "width": layout.cellWidth - 2, "height": Self.cellHeight - 2],
        title: [Markup.shortened(rows[row], to: 200), Markup.shortened(columns[column], to: 200), "not known"])
      writer.label("–", ["class": "muted middle", "x": x + layout.cellWidth / 2, "y": y + Self.cellHeight / 2 + 4])
      return
    }
    writer.open(
      "g",
      [
        "data-series": row, "data-x": column, "data-y": NumberText.exact(value),
        "data-change": cell.change.map { NumberText.exact($0.value) } ?? "",
      ])
    writer.say(lines(cell, value, row, column))
    writer.add(
      "rect",
      [
        "class": "cell \(ChartStyle.stepClass(step(cell)))", "x": x, "y": y, "width": layout.cellWidth, "height": Self.cellHeight, "rx": 4,
      ])
    let middle = x + layout.cellWidth / 2
    writer.label(
      FixedDigits.text(value, digits), ["class": "middle", "x": middle, "y": y + Self.cellHeight / 2 + (cell.change == nil ? 4 : -2)])
    if let change = cell.change {
      let text = FixedDigits.signed(change.value, digits) + (cell.isOutsideNoise ? "*" : "")
      writer.label(
        text, ["class": cell.isOutsideNoise ? "small middle strong" : "small middle", "x": middle, "y": y + Self.cellHeight / 2 + 13])
    }
    writer.close()
  }

  private func lines(_ cell: Cell, _ value: Double, _ row: Int, _ column: Int) -> [String] {
    let unit = unit.isEmpty ? "" : " " + unit
    var lines = ["\(Markup.shortened(rows[row], to: 200)), \(Markup.shortened(columns[column], to: 200))"]
    lines.append(FixedDigits.text(value, digits) + unit)
    guard let change = cell.change else { return lines }
    var text = "change " + FixedDigits.signed(change.value, digits)
    if let interval = change.interval {
      text += " [\(FixedDigits.signed(interval.lowerBound, digits)), \(FixedDigits.signed(interval.upperBound, digits))]"
    }
    lines.append(text + unit)
    if !cell.verdict.isEmpty { lines.append(Markup.shortened(cell.verdict, to: 200)) }
    return lines
  }
}
