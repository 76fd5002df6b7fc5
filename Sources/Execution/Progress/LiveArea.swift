import Diagnostics

/// The lowest lines of a terminal, drawn anew in place, under lines that stay. It knows where the cursor is and nothing of what it shows.
///
/// After drawing, the cursor goes back to the *first* column of the *first* line of the area, hidden. That is what makes a resize harmless:
/// whether a terminal folds lines that have become too long or cuts them, the cursor stays where the area begins, and what is from there
/// to the end of the screen is the area and nothing else; a terminal that becomes lower drops lines under its cursor before it pushes any
/// above into the scrollback. Whatever ends the program can clean up with the same few bytes, `LiveArea.farewell`. One case is not the
/// program's to mend: a terminal that is made so narrow at once that the folded area is higher than itself has pushed rows of it into its
/// scrollback before anybody is told (tmux does). Then an empty line sets off what comes from what is left of them.
///
/// Lines of the area never wrap (DECAWM is off while they are written, should a terminal think a character wider than we do) and are
/// fewer than the terminal has rows, so nothing of the area scrolls away. They are written over the old ones and the rest of each line
/// erased, never the screen from its first cell: tmux would keep that in its scrollback. All of a redraw is one write, inside a
/// synchronized update (DECSET 2026) where the terminal knows that.
struct LiveArea {
  /// Ends a drawn area: attributes off, the area erased, lines wrap, the cursor is seen.
  static let farewell = "\u{1B}[0m" + erasure + "\u{1B}[?7h\u{1B}[?25h"

  /// Erases the line of the cursor, then all below; the cursor stays.
  private static let erasure = "\r\u{1B}7\u{1B}[K\u{1B}[B\u{1B}[J\u{1B}8"

  private let write: @Sendable (String) -> Void
  private var isDrawn = false
  private var last: [String] = []
  /// The columns that a line took, as it was drawn.
  private var widths: [Int] = []
  private var size = TerminalSize(columns: 80, rows: 24)

  init(write: @escaping @Sendable (String) -> Void) { self.write = write }

  /// Writes lines that stay, then draws `area`, of which no line may be wider than the terminal, nor may there be more than it has rows.
  mutating func draw(staying: [String] = [], area: [String], size: TerminalSize) {
    if staying.isEmpty, isDrawn == !area.isEmpty, area == last { return }
    guard isDrawn || !area.isEmpty else {
      // No area before nor after: nothing but lines.
      if !staying.isEmpty { write(Self.lines(staying)) }
      return
    }
    var text = "\u{1B}[?2026h"
    if !isDrawn { text += "\u{1B}[?25l" }
    if isDrawn, hasOverflowed(size) { text += "\r\u{1B}[K\n" }
    if isDrawn, !staying.isEmpty { text += Self.erasure }
    text += Self.lines(staying)
    if area.isEmpty {
      text += Self.farewell
    } else {
      text += "\u{1B}[?7l\r" + area.joined(separator: "\u{1B}[K\n") + "\u{1B}[J\u{1B}[?7h\r"
      if area.count > 1 { text += "\u{1B}[\(area.count - 1)A" }
    }
    write(text + "\u{1B}[?2026l")
    isDrawn = !area.isEmpty
    last = area
    widths = area.map(Self.width)
    self.size = size
  }

  /// The terminal has another size: what was drawn last may look different now.
  mutating func forget() { last = [] }

  /// Whether what was drawn last, folded to another size, is higher than the terminal.
  private func hasOverflowed(_ new: TerminalSize) -> Bool {
    guard new != size, new.columns < size.columns else { return false }
    return widths.reduce(0) { $0 + max(1, ($1 + new.columns - 1) / max(1, new.columns)) } > new.rows
  }

  /// Columns of a line with colours in it.
  private static func width(_ line: String) -> Int {
    var columns = 0
    var isEscape = false
    for scalar in line.unicodeScalars {
      if isEscape {
        isEscape = scalar != "m"
      } else if scalar == "\u{1B}" {
        isEscape = true
      } else {
        columns += DisplayWidth.columns(scalar)
      }
    }
    return columns
  }

  private static func lines(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }
}
