/// A place in a source text: line and column count from 1, columns in Unicode scalars (a tab is one).
package struct SourceLocation: Sendable {
  package let source: SourceFile
  package let line: Int32
  package let column: Int32
  /// How many scalars of that line are meant; at least 1.
  package let length: Int32

  package init(source: SourceFile, line: Int, column: Int, length: Int = 1) {
    self.source = source
    self.line = Int32(clamping: max(line, 1))
    self.column = Int32(clamping: max(column, 1))
    self.length = Int32(clamping: max(length, 1))
  }

  /// `file:line:column`, or the argument itself.
  package var text: String {
    switch source.kind {
    case .file: "\(source.path):\(line):\(column)"
    case .argument: source.path
    }
  }
}

extension SourceLocation: Equatable {
  package static func == (left: SourceLocation, right: SourceLocation) -> Bool {
    left.source === right.source && left.line == right.line && left.column == right.column
  }
}
