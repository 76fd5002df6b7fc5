/// What is wrong with a model that a user handed over: a configuration that does not parse, an architecture that is not built, tensors
/// that do not fit. Knows nothing of how it is shown.
package struct ModelError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Lower case, no full stop.
  package let message: String
  /// The file that is at fault, where one is known.
  package let file: String?

  package init(_ message: String, file: String? = nil) {
    self.message = message
    self.file = file
  }

  package var description: String { file.map { "\($0): \(message)" } ?? message }
}
