import Glibc

/// Where threads and signal handlers wake the one loop that decides: a byte in a pipe.
final class WakePipe: Sendable {
  private let readEnd: Int32
  /// Signal handlers write here too: `Wake.interrupt`, `Wake.resize`, `Wake.suspend`.
  let writeEnd: Int32

  init() throws(SpawnFailure) {
    (readEnd, writeEnd) = try Lifeline.pipe()
    for end in [readEnd, writeEnd] { setNonBlocking(end) }
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  func wake(_ wake: Wake) { wake.send(to: writeEnd) }

  /// Waits for at most `seconds` (nil: as long as it takes); returns what woke it, but for messages.
  func wait(within seconds: Double?) -> [Wake] {
    var descriptor = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
    let milliseconds = seconds.map { Int32(min(max($0 * 1000, 0), 1e8).rounded(.up)) } ?? -1
    poll(&descriptor, 1, milliseconds)
    var wakes: [Wake] = []
    var bytes = [UInt8](repeating: 0, count: 256)
    while true {
      let count = read(readEnd, &bytes, bytes.count)
      guard count > 0 else { break }
      wakes += bytes[..<count].compactMap(Wake.init)
    }
    return wakes.filter { $0 != .message }
  }
}

/// Why the loop is woken.
enum Wake: UInt8, Sendable {
  case message = 1
  case interrupt
  case resize
  case suspend

  func send(to descriptor: Int32) {
    var byte = rawValue
    _ = write(descriptor, &byte, 1)
  }
}

private func setNonBlocking(_ descriptor: Int32) {
  _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
}
