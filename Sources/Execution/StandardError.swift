import Glibc

/// Where diagnostics and progress go.
package enum StandardError {
  package static let descriptor: Int32 = 2

  package static func line(_ text: String) { write(text + "\n") }

  package static func write(_ text: String) { write(Array(text.utf8), to: descriptor) }

  static func write(_ bytes: [UInt8], to descriptor: Int32) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written) }
      if count < 0 && errno == EINTR { continue }
      if count <= 0 { return }
      written += count
    }
  }

  package static var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Columns of the terminal.
  package static var width: Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}
