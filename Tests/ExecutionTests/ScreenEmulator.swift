import Diagnostics

/// A terminal in miniature, to see what somebody in front of one would see: the part of VT100 and xterm that Heirloom writes, with a
/// scrollback, as its own interpreter. Anything it does not know is a fault of the writer, and kept in `unknown`.
///
/// A character takes as many columns as `DisplayWidth` says. Narrower lines can be dealt with in the ways that terminals have: folded with
/// the cursor kept in sight, folded with the last rows kept in sight, as tmux does, or cut, as xterm does.
struct ScreenEmulator {
  enum Narrowing { case folds, foldsUpwards, cuts }

  private struct Line: Equatable {
    /// One a column; a wide character is followed by an empty text.
    var cells: [String] = []
    /// The next line goes on with it.
    var isContinued = false
  }

  private(set) var columns: Int
  private(set) var rows: Int
  private let narrowing: Narrowing
  private var history: [Line] = []
  private var screen: [Line]
  private(set) var cursor = (row: 0, column: 0)
  private(set) var isCursorSeen = true
  private(set) var isSynchronized = false
  private(set) var unknown: [String] = []
  private var wraps = true
  /// The last column is written to; the next character goes to the next line.
  private var isWrapDue = false
  private var saved = (row: 0, column: 0)
  private var attributes = ""
  /// Every SGR in force when something was written: to see whether there is colour at all.
  private(set) var usesAttributes = false

  init(columns: Int, rows: Int, narrowing: Narrowing = .folds) {
    self.columns = columns
    self.rows = rows
    self.narrowing = narrowing
    screen = Array(repeating: Line(), count: rows)
  }

  // MARK: - Seen from outside

  /// What is on the screen, a text a row, without spaces and empty rows at the end.
  var shown: [String] {
    var texts = screen.map(Self.text)
    while texts.last == "" { texts.removeLast() }
    return texts
  }

  /// All lines that were ever scrolled away or are on the screen, folded ones put together again.
  var transcript: [String] {
    var lines: [String] = []
    var goesOn = false
    for line in history + screen {
      if goesOn { lines[lines.count - 1] += line.cells.joined() } else { lines.append(line.cells.joined()) }
      goesOn = line.isContinued
    }
    lines = lines.map(Self.trimmed)
    while lines.last == "" { lines.removeLast() }
    return lines
  }

  private static func text(_ line: Line) -> String { trimmed(line.cells.joined()) }

  private static func trimmed(_ text: String) -> String {
    var text = text
    while text.last == " " { text.removeLast() }
    return text
  }

  // MARK: - Writing

  mutating func write(_ text: String) {
    var scalars = text.unicodeScalars[...]
    while let scalar = scalars.popFirst() {
      switch scalar {
      case "\u{1B}": escape(&scalars)
      case "\n":
        // As a terminal's driver writes it (ONLCR).
        cursor.column = 0
        isWrapDue = false
        lineFeed(isContinued: false)
      case "\r":
        cursor.column = 0
        isWrapDue = false
      default:
        if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
          unknown.append("U+\(String(scalar.value, radix: 16))")
        } else {
          put(scalar)
        }
      }
    }
  }

  private mutating func put(_ scalar: Unicode.Scalar) {
    let width = DisplayWidth.columns(scalar)
    if !attributes.isEmpty { usesAttributes = true }
    guard width > 0 else {
      let place = isWrapDue ? cursor.column : cursor.column - 1
      if screen[cursor.row].cells.indices.contains(place) { screen[cursor.row].cells[place].unicodeScalars.append(scalar) }
      return
    }
    if isWrapDue || cursor.column + width > columns {
      if wraps {
        cursor.column = 0
        isWrapDue = false
        lineFeed(isContinued: true)
      } else {
        cursor.column = columns - width
      }
    }
    while screen[cursor.row].cells.count < cursor.column + width { screen[cursor.row].cells.append(" ") }
    screen[cursor.row].cells[cursor.column] = String(scalar)
    if width == 2 { screen[cursor.row].cells[cursor.column + 1] = "" }
    if cursor.column + width >= columns {
      cursor.column = columns - 1
      isWrapDue = wraps
    } else {
      cursor.column += width
    }
  }

  private mutating func lineFeed(isContinued: Bool) {
    screen[cursor.row].isContinued = isContinued
    if cursor.row + 1 < rows {
      cursor.row += 1
    } else {
      history.append(screen.removeFirst())
      screen.append(Line())
    }
  }

  // MARK: - Escapes

  private mutating func escape(_ scalars: inout Substring.UnicodeScalarView) {
    switch scalars.first {
    case "7": saved = cursor
    case "8": cursor = (min(saved.row, rows - 1), min(saved.column, columns - 1))
    default: break
    }
    if scalars.first == "7" || scalars.first == "8" {
      isWrapDue = false
      scalars.removeFirst()
      return
    }
    guard scalars.first == "[" else { return unknown.append("ESC \(scalars.popFirst().map { String($0) } ?? "")") }
    scalars.removeFirst()
    var parameters = ""
    while let scalar = scalars.popFirst() {
      guard (0x40...0x7E).contains(scalar.value) else {
        parameters.unicodeScalars.append(scalar)
        continue
      }
      return control(parameters, scalar)
    }
    unknown.append("CSI \(parameters) without an end")
  }

  private mutating func control(_ parameters: String, _ final: Unicode.Scalar) {
    switch (parameters, final) {
    case (_, "A"):
      cursor.row = max(0, cursor.row - (Int(parameters) ?? 1))
      isWrapDue = false
    case (_, "B"):
      cursor.row = min(rows - 1, cursor.row + (Int(parameters) ?? 1))
      isWrapDue = false
    case ("", "K"):
      // As xterm: a character in the last column goes even when the next would be on the next line.
      screen[cursor.row].cells = Array(screen[cursor.row].cells.prefix(cursor.column))
      screen[cursor.row].isContinued = false
    case ("", "J"):
      // As tmux: what is cleared from the first cell on goes into the scrollback.
      if cursor == (0, 0) { history += screen.reversed().drop { $0.cells.isEmpty }.reversed() }
      screen[cursor.row].cells = Array(screen[cursor.row].cells.prefix(cursor.column))
      screen[cursor.row].isContinued = false
      for row in (cursor.row + 1)..<max(rows, cursor.row + 1) { screen[row] = Line() }
    case (_, "m"): attributes = parameters == "0" || parameters.isEmpty ? "" : parameters
    case ("?7", "l"): wraps = false
    case ("?7", "h"): wraps = true
    case ("?25", "l"): isCursorSeen = false
    case ("?25", "h"): isCursorSeen = true
    case ("?2026", "h"): isSynchronized = true
    case ("?2026", "l"): isSynchronized = false
    default: unknown.append("CSI \(parameters)\(final)")
    }
  }

  // MARK: - Resizing

  /// As tmux and VTE do it: the cursor stays on its character, lines are folded anew; in a lower window rows under the cursor go first.
  mutating func resize(columns newColumns: Int, rows newRows: Int) {
    while screen.count > newRows {
      if cursor.row < screen.count - 1 {
        screen.removeLast()
      } else {
        history.append(screen.removeFirst())
        cursor.row -= 1
      }
    }
    rows = newRows
    if narrowing != .cuts {
      fold(to: newColumns)
    } else {
      columns = newColumns
      screen = screen.map { Line(cells: Array($0.cells.prefix(newColumns)), isContinued: false) }
      cursor.column = min(cursor.column, newColumns - 1)
    }
    while screen.count < newRows { screen.append(Line()) }
    isWrapDue = false
  }

  private mutating func fold(to newColumns: Int) {
    // Whole lines, and where the cursor is in them.
    var whole: [[String]] = []
    var place = (line: 0, column: 0)
    var goesOn = false
    let all = history + screen
    for (index, line) in all.enumerated() {
      if !goesOn { whole.append([]) }
      if index == history.count + cursor.row { place = (whole.count - 1, whole[whole.count - 1].count + cursor.column) }
      whole[whole.count - 1] += line.cells
      goesOn = line.isContinued
    }
    var folded: [Line] = []
    var newCursor = (row: 0, column: 0)
    for (index, cells) in whole.enumerated() {
      let start = folded.count
      var rest = cells[...]
      repeat {
        var count = min(newColumns, rest.count)
        // A wide character is not torn.
        if count < rest.count, count > 0, rest[rest.startIndex + count] == "" { count -= 1 }
        folded.append(Line(cells: Array(rest.prefix(count)), isContinued: false))
        rest = rest.dropFirst(count)
        if !rest.isEmpty { folded[folded.count - 1].isContinued = true }
      } while !rest.isEmpty
      if index == place.line { newCursor = (min(start + place.column / newColumns, folded.count - 1), place.column % newColumns) }
    }
    columns = newColumns
    // The screen ends where the text does; what is above it is history.
    var last = folded.count
    while last > newCursor.row + 1, folded[last - 1].cells.isEmpty { last -= 1 }
    let bottom = max(0, max(last, 1) - screen.count)
    let top = narrowing == .folds ? min(newCursor.row, bottom) : bottom
    if newCursor.row < top { newCursor = (top, 0) }
    history = Array(folded[..<top])
    screen = Array(folded[top...].prefix(max(screen.count, newCursor.row - top + 1)))
    while screen.count < rows { screen.append(Line()) }
    cursor = (newCursor.row - top, newCursor.column)
  }
}
