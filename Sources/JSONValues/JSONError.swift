/// Where and why a text is no JSON. Lines and columns count from 1, columns in bytes.
package struct JSONError: Error, Equatable, CustomStringConvertible {
  package let message: String
  package let line: Int
  package let column: Int
  package let byteOffset: Int

  package init(message: String, line: Int, column: Int, byteOffset: Int) {
    self.message = message
    self.line = line
    self.column = column
    self.byteOffset = byteOffset
  }

  package var description: String { "line \(line), column \(column): \(message)" }
}
