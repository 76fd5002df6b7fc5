/// What is wrong with data that a user handed over, and where: `train.jsonl:31: 'prompt' is missing`. Knows nothing of how it is shown.
package struct DatasetError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Lower case, no full stop.
  package let message: String
  package let file: String?
  /// Counted from 1.
  package let line: Int?

  package init(_ message: String, file: String? = nil, line: Int? = nil) {
    self.message = message
    self.file = file
    self.line = line
  }

  /// The same error at this place; a place it already has stays.
  package func located(file: String, line: Int? = nil) -> DatasetError {
    self.file == nil ? DatasetError(message, file: file, line: line) : self
  }

  package var description: String {
    switch (file, line) {
    case (let file?, let line?): "\(file):\(line): \(message)"
    case (let file?, nil): "\(file): \(message)"
    default: message
    }
  }
}
