import Glibc

/// Follows a growing file of lines, reading only what is new, and holding no more than a line of it. What the lines say is not its matter.
struct LineTail: Sendable {
  private let path: String
  private let longestLine: Int
  private var offset = 0
  private var rest: [UInt8] = []
  /// In the midst of a line that is too long to be one.
  private var skips = false

  init(path: String, longestLine: Int = 1 << 20) {
    self.path = path
    self.longestLine = longestLine
  }

  /// Hands over the lines that have been finished since, whole ones with their ends; true when there were any, nil when there is no such file
  /// or it cannot be read.
  mutating func advance(_ take: ([UInt8]) -> Void) -> Bool? {
    // A stage could have put a pipe in its place, which would be waited for, or a link to a file that is none of its own.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return advance(descriptor, take)
  }

  /// Nil when it cannot be read; `errno` says why.
  mutating func advance(_ descriptor: Int32, _ take: ([UInt8]) -> Void) -> Bool? {
    var piece = [UInt8](repeating: 0, count: 65536)
    var found = false
    while true {
      let count = pread(descriptor, &piece, piece.count, off_t(offset))
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return count < 0 ? nil : found }
      offset += count
      if let lines = lines(piece[..<count]) {
        take(lines)
        found = true
      }
    }
  }

  private mutating func lines(_ piece: ArraySlice<UInt8>) -> [UInt8]? {
    var piece = piece
    if skips {
      guard let end = piece.firstIndex(of: 0x0A) else { return nil }
      piece = piece[(end + 1)...]
      skips = false
    }
    guard let end = piece.lastIndex(of: 0x0A) else {
      rest += piece
      skips = rest.count > longestLine
      if skips { rest = [] }
      return nil
    }
    let lines = rest + piece[...end]
    rest = Array(piece[(end + 1)...])
    return lines
  }

  /// What stands at the end without a line's end.
  mutating func takeRest() -> [UInt8] {
    defer { rest = [] }
    return rest
  }
}
