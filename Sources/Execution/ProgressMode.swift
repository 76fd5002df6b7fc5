/// `--progress`: how a run is shown.
package enum ProgressMode: String, CaseIterable, Sendable {
  case auto, plain, json, none

  /// The display for this mode: on a terminal that can move its cursor a live one, else plain lines.
  package func display(variables: [String: String] = callerEnvironment(), isTerminal: Bool = StandardError.isTerminal)
    -> any ProgressDisplay
  {
    switch self {
    case .none: SilentProgress()
    case .plain: PlainProgress()
    case .json: JSONProgress()
    case .auto:
      if isTerminal, variables["TERM"] != "dumb" {
        LiveProgress(usesColour: variables["NO_COLOR", default: ""].isEmpty)
      } else {
        PlainProgress()
      }
    }
  }
}
