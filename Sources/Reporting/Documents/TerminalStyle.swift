import Diagnostics
import Plotting

/// What a terminal can show: how many colours, and how many columns.
package struct TerminalStyle: Sendable, Equatable {
  /// `colors16`: what the user has made of them, so nothing is put behind a text.
  package enum Depth: Sendable { case none, colors16, colors256, trueColor }

  package let depth: Depth
  /// Nil where nothing has to fit, as in a pipe.
  package let columns: Int?

  package init(_ depth: Depth, columns: Int? = nil) { (self.depth, self.columns) = (depth, columns) }

  /// Plain text.
  package static let plain = TerminalStyle(.none)

  private static let colorful = ["xterm", "screen", "tmux", "rxvt", "linux", "konsole", "ansi"]

  /// Of what `variables` say of a terminal; anything else gets plain text, as does who asks for it by NO_COLOR, unless CLICOLOR_FORCE
  /// asks for colour (`ColorWish`).
  package static func detect(isTerminal: Bool, variables: [String: String], columns: Int?) -> TerminalStyle {
    let columns = isTerminal ? columns ?? variables["COLUMNS"].flatMap(Int.init) : nil
    let term = variables["TERM"] ?? ""
    guard ColorWish.isColored(isTerminal: isTerminal, variables: variables), !term.isEmpty || ColorWish.isForced(variables) else {
      return TerminalStyle(.none, columns: columns)
    }
    if ["truecolor", "24bit"].contains(variables["COLORTERM"] ?? "") || term.hasSuffix("-direct") {
      return TerminalStyle(.trueColor, columns: columns)
    }
    if term.contains("256color") { return TerminalStyle(.colors256, columns: columns) }
    let isColored = ColorWish.isForced(variables) || term.contains("color") || colorful.contains { term.hasPrefix($0) }
    return TerminalStyle(isColored ? .colors16 : .none, columns: columns)
  }
}

/// The colours behind numbers: viridis for scores (read alike by eyes that tell no red from green), vermilion to blue for changes.
struct CellColor: Equatable {
  let color: Color

  private static let scores = [Color(0x440154), Color(0x3B528B), Color(0x21918C), Color(0x5EC962), Color(0xFDE725)]
  private static let even = Color(0x808080)
  private static let loss = Color(0xD55E00)
  private static let win = Color(0x0072B2)

  /// Nil for what needs no colour.
  init?(_ shade: ReportDocument.Shade) {
    switch shade {
    case .none: return nil
    case .bad: color = Self.loss
    case .score(let share):
      guard share.isFinite else { return nil }
      let place = min(max(share, 0), 1) * Double(Self.scores.count - 1)
      let low = min(Int(place), Self.scores.count - 2)
      color = Self.scores[low].mixed(place - Double(low), of: Self.scores[low + 1])
    case .change(let share):
      // Under a point there is nothing to look at.
      guard share.isFinite, abs(share) >= 0.01 else { return nil }
      // Most changes are small: the root spreads them.
      let strength = min(1, 0.35 + 0.65 * min(1, abs(share)).squareRoot())
      color = Self.even.mixed(strength, of: share < 0 ? Self.loss : Self.win)
    }
  }

  /// The escape sequence that sets it as background, with black or white on it, whichever is read better.
  func escape(_ depth: TerminalStyle.Depth) -> String {
    switch depth {
    case .none, .colors16: ""
    case .trueColor:
      "\u{1B}[48;2;\(color.red);\(color.green);\(color.blue);\(Self.isLight(color) ? "38;2;0;0;0" : "38;2;255;255;255")m"
    case .colors256:
      // Of the colour that is shown, which is not quite this one.
      "\u{1B}[48;5;\(cube.index);38;5;\(Self.isLight(cube.color) ? 16 : 231)m"
    }
  }

  private static func isLight(_ color: Color) -> Bool { color.contrast(to: Color(0x000000)) > color.contrast(to: Color(0xFFFFFF)) }

  private static let levels = [0, 95, 135, 175, 215, 255]

  /// The nearest of the 6 × 6 × 6 cube of 256 colours.
  private var cube: (index: Int, color: Color) {
    let places = [color.red, color.green, color.blue].map { value in
      Self.levels.indices.min { abs(Self.levels[$0] - Int(value)) < abs(Self.levels[$1] - Int(value)) } ?? 0
    }
    let rgb = places.reduce(UInt32(0)) { $0 << 8 | UInt32(Self.levels[$1]) }
    return (16 + 36 * places[0] + 6 * places[1] + places[2], Color(rgb))
  }
}
