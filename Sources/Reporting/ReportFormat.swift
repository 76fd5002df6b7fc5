import JSONValues

/// How a report is written.
package enum ReportFormat: String, Sendable, CaseIterable {
  case html, text, markdown, json
}

extension RunReport {
  /// One file, or what goes to standard output; ended by a line break.
  ///
  /// - Parameter style: of the terminal it is for; other formats do not know it.
  package func text(_ format: ReportFormat, style: TerminalStyle = .plain) -> String {
    switch format {
    case .html: page
    case .text: TerminalWriter(style: style).text(ReportDocument(self, .terminal))
    case .markdown: MarkdownWriter.text(ReportDocument(self, .page))
    case .json: json.encoded(pretty: true) + "\n"
    }
  }
}

extension MatrixReport {
  /// The matrices of reports alone, for a terminal; empty where there are none.
  package static func text(_ reports: [MatrixReport], style: TerminalStyle) -> String {
    TerminalWriter(style: style).text(ReportDocument(matricesOf: reports))
  }
}
