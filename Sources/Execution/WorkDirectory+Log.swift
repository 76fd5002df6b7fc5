import Artifacts
import Glibc

extension WorkDirectory {
  /// Adds a line of the runner's own to the stage's log: why it was ended.
  func say(_ text: String) {
    let log = open(logPath, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard log >= 0 else { return }
    defer { close(log) }
    StandardError.write(Array("heirloom: \(text)\n".utf8), to: log)
  }
}
