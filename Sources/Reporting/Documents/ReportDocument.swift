/// A report as paragraphs and tables: what Markdown and a terminal have in common. Its texts are raw; each writer escapes them its own way.
struct ReportDocument {
  enum Block {
    case heading(Int, String)
    case paragraph([Span])
    case table(Table)
    case list([[Span]])
    /// Lines as they are, such as a log or a command.
    case code([String])
  }

  enum Span: ExpressibleByStringLiteral {
    case plain(String)
    case strong(String)
    case code(String)

    init(stringLiteral text: String) { self = .plain(text) }
  }

  struct Column {
    enum Alignment { case left, right }

    let title: String
    let alignment: Alignment

    init(_ title: String, _ alignment: Alignment = .right) { (self.title, self.alignment) = (title, alignment) }
  }

  /// What a number means, so that a terminal may colour it. The number stands there all the same.
  enum Shade: Equatable {
    case none
    /// From nothing, 0, to everything, 1.
    case score(Double)
    /// From all lost, -1, to all won, 1.
    case change(Double)
    case bad
  }

  struct Cell: ExpressibleByStringLiteral {
    let span: Span
    let shade: Shade

    init(_ span: Span, _ shade: Shade = .none) { (self.span, self.shade) = (span, shade) }
    init(_ text: String, _ shade: Shade = .none) { self.init(.plain(text), shade) }
    init(stringLiteral text: String) { self.init(.plain(text)) }
  }

  struct Table {
    let columns: [Column]
    private(set) var rows: [[Cell]] = []

    init(_ columns: [Column]) { self.columns = columns }

    /// Missing cells are empty.
    mutating func add(_ cells: [Cell]) { rows.append(columns.indices.map { $0 < cells.count ? cells[$0] : "" }) }
  }

  /// How much is said: what stands on a page, or what one reads in a terminal.
  enum Extent { case page, terminal }

  private(set) var blocks: [Block] = []

  mutating func append(_ block: Block) { blocks.append(block) }
  mutating func heading(_ level: Int, _ text: String) { blocks.append(.heading(level, text)) }
  mutating func paragraph(_ spans: Span...) { blocks.append(.paragraph(spans)) }
  mutating func list(_ items: [[Span]]) { if !items.isEmpty { blocks.append(.list(items)) } }
  mutating func code(_ lines: [String]) { if !lines.isEmpty { blocks.append(.code(lines)) } }

  /// A table without rows is not shown.
  mutating func table(_ table: Table) { if !table.rows.isEmpty { blocks.append(.table(table)) } }
}

extension ReportDocument {
  init(_ report: RunReport, _ extent: Extent) {
    addOverview(report, extent)
    for matrix in report.matrices { add(matrix, extent) }
    for scores in report.scores { add(scores) }
    for front in report.fronts { add(front) }
    addCurves(report.curves)
    addRollouts(report.rollouts)
    addTokens(report.tokens, extent)
    if extent == .page { addSamples(report.samples) }
    addData(report.data)
    addInstances(report, extent)
    if extent == .page { addLineages(report) }
    if !report.notes.isEmpty {
      heading(2, "Notes")
      list(report.notes.map { [.plain($0)] })
    }
  }
}
