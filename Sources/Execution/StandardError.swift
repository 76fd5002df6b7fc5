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
      if count < 0 && errno == EAGAIN {
        // Somebody made the terminal non-blocking; a line that stays is not to be torn for it.
        var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        if poll(&ready, 1, 1000) > 0 { continue }
      }
      if count <= 0 { return }
      written += count
    }
  }

  package static var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Whether this program's job has the terminal: false after `bg`.
  package static var isForeground: Bool {
    let group = tcgetpgrp(descriptor)
    return group < 0 || group == getpgrp()
  }

  /// Of the terminal; 80 by 24 where it does not say.
  package static var size: TerminalSize {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
      return TerminalSize(columns: 80, rows: 24)
    }
    return TerminalSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
  }
}
