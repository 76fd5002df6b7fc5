import Diagnostics

/// Instances skipped one after the other for one cause, gathered to be told on one line: `a, b, c and 185 more`.
struct SkipLine {
  struct Line {
    let names: String
    let cause: String?
  }

  private var names: [String] = []
  private var count = 0
  private var cause: String?

  private static let shown = 3

  /// Takes one in; gives what was gathered of another cause.
  mutating func take(_ name: String, because cause: String?) -> Line? {
    let before = count > 0 && cause != self.cause ? end() : nil
    self.cause = cause
    count += 1
    if names.count < Self.shown { names.append(name) }
    return before
  }

  /// What was gathered; nil when nothing was.
  mutating func end() -> Line? {
    guard count > 0 else { return nil }
    defer { (names, count) = ([], 0) }
    return Line(names: names.joined(separator: ", ") + (count > names.count ? " and \(count - names.count) more" : ""), cause: cause)
  }
}
