import Diagnostics

/// The lowest lines of a terminal, drawn anew in place, under lines that stay. It knows where the cursor is and nothing of what it shows.
///
/// After drawing, the cursor goes back to the *first* column of the *first* line of the area, hidden. That is what makes a resize harmless:
/// whether a terminal folds lines that have become too long or cuts them, the cursor stays where the area begins, and erasing from there
/// to the end of the screen takes all of it and nothing else; a terminal that becomes lower drops lines under its cursor before it pushes
/// any above into the scrollback. Whatever ends the program can clean up with the same few bytes, `LiveArea.farewell`.
///
/// Lines of the area never wrap (DECAWM is off while they are written, should a terminal think a character wider than we do) and are
/// fewer than the terminal has rows, so nothing of the area can scroll away. All of a redraw is one write, inside a synchronized update
/// (DECSET 2026) where the terminal knows that.
struct LiveArea {
  /// Ends a drawn area: attributes off, the area erased, lines wrap, the cursor is seen.
  static let farewell = "\u{1B}[0m\r\u{1B}[J\u{1B}[?7h\u{1B}[?25h"

  enum Cursor { case hidden, seen }

  private let write: @Sendable (String) -> Void
  private let cursor: Cursor
  private var isDrawn = false
  private var last: [String] = []

  /// - Parameter cursor: hidden only where somebody sees to it that it is seen again.
  init(write: @escaping @Sendable (String) -> Void, cursor: Cursor = .hidden) {
    self.write = write
    self.cursor = cursor
  }

  /// Writes lines that stay, then draws `area`, of which no line may be wider than the terminal, nor may there be more than it has rows.
  mutating func draw(staying: [String] = [], area: [String]) {
    if staying.isEmpty, isDrawn == !area.isEmpty, area == last { return }
    guard isDrawn || !area.isEmpty else {
      // No area before nor after: nothing but lines.
      if !staying.isEmpty { write(Self.lines(staying)) }
      return
    }
    var text = isDrawn ? "\u{1B}[?2026h\r\u{1B}[J" : "\u{1B}[?2026h" + (cursor == .hidden ? "\u{1B}[?25l" : "")
    text += Self.lines(staying)
    if area.isEmpty {
      text += Self.farewell
    } else {
      text += "\u{1B}[?7l" + area.joined(separator: "\n") + "\u{1B}[?7h\r"
      if area.count > 1 { text += "\u{1B}[\(area.count - 1)A" }
    }
    write(text + "\u{1B}[?2026l")
    isDrawn = !area.isEmpty
    last = area
  }

  /// The terminal has another size: what was drawn last may look different now.
  mutating func forget() { last = [] }

  private static func lines(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }
}
