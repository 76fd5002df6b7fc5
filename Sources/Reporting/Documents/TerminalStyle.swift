import Diagnostics
import Glibc

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
  let red: Int
  let green: Int
  let blue: Int

  init(_ red: Int, _ green: Int, _ blue: Int) { (self.red, self.green, self.blue) = (red, green, blue) }

  private static let scores = [
    CellColor(68, 1, 84), CellColor(59, 82, 139), CellColor(33, 145, 140), CellColor(94, 201, 98), CellColor(253, 231, 37),
  ]
  private static let loss = CellColor(213, 94, 0)
  private static let win = CellColor(0, 114, 178)

  /// Nil for what needs no colour.
  init?(_ shade: ReportDocument.Shade) {
    switch shade {
    case .none: return nil
    case .bad: self = Self.loss
    case .score(let share):
      guard share.isFinite else { return nil }
      let place = min(max(share, 0), 1) * Double(Self.scores.count - 1)
      let low = min(Int(place), Self.scores.count - 2)
      self = Self.scores[low].mixed(Self.scores[low + 1], place - Double(low))
    case .change(let share):
      // Under a point there is nothing to look at.
      guard share.isFinite, abs(share) >= 0.01 else { return nil }
      // Most changes are small: the root spreads them.
      let strength = min(1, 0.35 + 0.65 * min(1, abs(share)).squareRoot())
      self = CellColor(128, 128, 128).mixed(share < 0 ? Self.loss : Self.win, strength)
    }
  }

  func mixed(_ other: CellColor, _ part: Double) -> CellColor {
    func mix(_ own: Int, _ its: Int) -> Int { Int((Double(own) + (Double(its) - Double(own)) * part).rounded()) }
    return CellColor(mix(red, other.red), mix(green, other.green), mix(blue, other.blue))
  }

  /// Whether black is read better on it than white: relative luminance (WCAG 2) above 0.179, so that the contrast is never under 4.5.
  private var isLight: Bool {
    func linear(_ value: Int) -> Double {
      let share = Double(value) / 255
      return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue) > 0.179
  }

  /// The escape sequence that sets it as background, with a foreground that can be read on it.
  func escape(_ depth: TerminalStyle.Depth) -> String {
    switch depth {
    case .none, .colors16: ""
    case .trueColor: "\u{1B}[48;2;\(red);\(green);\(blue);\(isLight ? "38;2;0;0;0" : "38;2;255;255;255")m"
    case .colors256:
      // Of the colour that is shown, which is not quite this one.
      "\u{1B}[48;5;\(index256);38;5;\(inCube.isLight ? 16 : 231)m"
    }
  }

  private static let levels = [0, 95, 135, 175, 215, 255]

  private static func nearest(_ value: Int) -> Int { levels.indices.min { abs(levels[$0] - value) < abs(levels[$1] - value) } ?? 0 }

  /// The nearest of the 6 × 6 × 6 cube of 256 colours.
  private var index256: Int { 16 + 36 * Self.nearest(red) + 6 * Self.nearest(green) + Self.nearest(blue) }

  private var inCube: CellColor {
    CellColor(Self.levels[Self.nearest(red)], Self.levels[Self.nearest(green)], Self.levels[Self.nearest(blue)])
  }
}
