/// What a terminal can show of progress: colours or none, block characters or ASCII.
package struct ProgressStyle: Sendable {
  package var isColored: Bool
  package var isUnicode: Bool

  package init(isColored: Bool, isUnicode: Bool) { (self.isColored, self.isUnicode) = (isColored, isUnicode) }

  /// Of what `variables` say of the locale and the terminal; Linux's own console has not the characters.
  package static func isUnicode(_ variables: [String: String]) -> Bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { variables[$0] }.first { !$0.isEmpty } ?? ""
    let isUTF8 = locale.lowercased().replacing("-", with: "").contains("utf8")
    return isUTF8 && variables["TERM"] != "linux"
  }

  /// Full to a share of its length: `████░░░░`, or `[##----]`.
  func bar(_ fraction: Double, length: Int) -> String {
    let inner = isUnicode ? length : length - 2
    let full = min(inner, max(0, Int((fraction * Double(inner)).rounded(.down))))
    let done = String(repeating: isUnicode ? "█" : "#", count: full)
    let rest = String(repeating: isUnicode ? "░" : "-", count: inner - full)
    guard isUnicode else { return "[\(done)\(rest)]" }
    return colored(done, 36) + dim(rest)
  }

  func dim(_ text: String) -> String { colored(text, 2) }

  /// SGR `code`; the 16 colours are what the user has made of them, on light and dark grounds.
  func colored(_ text: String, _ code: Int) -> String { isColored && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }

  /// Red, green, and magenta where others take yellow, which cannot be read on white.
  static let (red, green, magenta) = (31, 32, 35)

  /// The words of an event; its first word carries the colour.
  func lines(_ event: ProgressEvent) -> [String] {
    let lines = ProgressText.lines(event)
    guard isColored, let first = lines.first, let space = first.firstIndex(of: " "), let code = Self.code(event) else { return lines }
    return [colored(String(first[..<space]), code) + first[space...]] + lines.dropFirst()
  }

  private static func code(_ event: ProgressEvent) -> Int? {
    switch event {
    case .failed: red
    case .finished: green
    case .retrying, .blocked, .skipped, .interrupted, .notice, .warned, .stopping: magenta
    default: nil
    }
  }
}
