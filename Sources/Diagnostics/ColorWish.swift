/// Whether colour is welcome on what a program writes to: one rule for all that is coloured.
///
/// `NO_COLOR` forbids it wherever it is not empty (no-color.org); else `CLICOLOR_FORCE` asks for it also where there is no terminal, as in
/// the logs of a build service (bixense.com/clicolors; empty and `0` do not count); else a terminal is coloured unless `TERM` is `dumb`.
package enum ColorWish {
  package static func isColored(isTerminal: Bool, variables: [String: String]) -> Bool {
    if !(variables["NO_COLOR"] ?? "").isEmpty { return false }
    if isForced(variables) { return true }
    return isTerminal && variables["TERM"] != "dumb"
  }

  package static func isForced(_ variables: [String: String]) -> Bool { !["", "0"].contains(variables["CLICOLOR_FORCE"] ?? "") }
}
