import Glibc

/// Why the store cannot be read or written, in one line. The program ends with status 3 on it: it is never a stage's fault.
package struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
  package let message: String
  package let path: String?
  /// The system's error number where there is one.
  package let code: Int32?

  package init(_ message: String, path: String? = nil, code: Int32? = nil) {
    self.message = message
    self.path = path
    self.code = code
  }

  init(_ operation: FileSystem.Operation, _ path: String, _ code: Int32) {
    self.init("cannot \(operation.rawValue): \(String(cString: strerror(code)))", path: path, code: code)
  }

  package var description: String { path.map { "\($0): \(message)" } ?? message }
}
