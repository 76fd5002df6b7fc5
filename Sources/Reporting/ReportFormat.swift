import JSONValues

/// How a report is written.
package enum ReportFormat: String, Sendable, CaseIterable {
  case html, text, markdown, json, tensorboard
}

/// A report as it is to be written somewhere.
package enum ReportProduct: Sendable {
  /// One file, or what goes to standard output; ended by a line break.
  case text(String)
  /// Files of a directory by their relative paths.
  case files([(path: String, bytes: [UInt8])])
}

extension RunReport {
  /// - Parameter style: of the terminal it is for; other formats do not know it.
  package func product(_ format: ReportFormat, style: TerminalStyle = .plain) -> ReportProduct {
    switch format {
    case .html: .text(page)
    case .text: .text(TerminalWriter(style: style).text(ReportDocument(self, .terminal)))
    case .markdown: .text(MarkdownWriter.text(ReportDocument(self, .page)))
    case .json: .text(json.encoded(pretty: true) + "\n")
    case .tensorboard: .files(tensorBoardFiles)
    }
  }
}

extension MatrixReport {
  /// The matrices of reports alone, for a terminal; empty where there are none.
  package static func text(_ reports: [MatrixReport], style: TerminalStyle) -> String {
    TerminalWriter(style: style).text(ReportDocument(matricesOf: reports))
  }
}
