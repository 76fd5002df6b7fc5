import Diagnostics

/// `--progress`: how a run is shown.
package enum ProgressMode: String, CaseIterable, Sendable {
  case auto, plain, json, none

  /// The display for this mode: on a terminal that can move its cursor a live one, else plain lines.
  ///
  /// - Parameter isInterruptible: Ctrl-C ends the program, and nobody else sees to the terminal then.
  package func display(
    variables: [String: String] = callerEnvironment(), isTerminal: Bool = StandardError.isTerminal, isInterruptible: Bool = false
  ) -> any ProgressDisplay {
    let isColored = ColorWish.isColored(isTerminal: isTerminal, variables: variables)
    switch self {
    case .none: return SilentProgress()
    case .plain: return PlainProgress(isColored: isColored)
    case .json: return JSONProgress()
    case .auto:
      guard Self.isLive(variables, isTerminal: isTerminal) else { return PlainProgress(isColored: isColored) }
      return LiveProgress(
        style: ProgressStyle(isColored: isColored, isUnicode: ProgressStyle.isUnicode(variables)),
        isForeground: { StandardError.isForeground }, hold: TerminalHold(isInterruptible: isInterruptible))
    }
  }

  /// Whether lines can be drawn anew in place and somebody sees it: not where a build service keeps what a terminal would have shown.
  package static func isLive(_ variables: [String: String], isTerminal: Bool) -> Bool {
    let isService = !["", "0", "false"].contains(variables["CI"] ?? "")
    return isTerminal && !isService && !["", "dumb"].contains(variables["TERM"] ?? "")
  }
}
