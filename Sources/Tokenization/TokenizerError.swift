/// What is wrong with a tokenizer, its files or a text given to it, and where: the file, and the place in it as a JSON path.
package struct TokenizerError: Error, Equatable, Sendable, CustomStringConvertible {
  package var file: String?
  /// `model.merges[12]`; empty when the fault is in no one place.
  package let path: String
  package let message: String

  package init(file: String? = nil, path: String = "", message: String) {
    self.file = file
    self.path = path
    self.message = message
  }

  package var description: String {
    [file, path.isEmpty ? nil : path, message].compactMap { $0 }.joined(separator: ": ")
  }

  /// The same fault, said to be in `file` unless a file is named already.
  func located(in file: String) -> TokenizerError {
    var copy = self
    copy.file = copy.file ?? file
    return copy
  }
}
