/// Seconds in the units in which one says them.
package enum DurationText {
  /// `0.4 s`, `12 s`, `3 min 20 s`, `2 h 05 min`, `3 d 04 h`.
  ///
  /// - Parameters:
  ///   - seconds: any number, for stages report any; what is none is `–`.
  ///   - isRound: leaves out a second unit of which there is nothing, and of `3 min 05 s` the zero, as at the ticks of an axis.
  package static func text(_ seconds: Double, isRound: Bool = false) -> String {
    guard seconds.isFinite, seconds >= 0 else { return "–" }
    guard seconds < 1e12 else { return "very long" }
    if seconds < 9.95 {
      let tenths = Int((seconds * 10).rounded())
      return isRound && seconds == 0 ? "0 s" : "\(tenths / 10).\(tenths % 10) s"
    }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return pair(whole / 60, "min", whole % 60, "s", isRound) }
    if whole < 48 * 3600 { return pair(whole / 3600, "h", whole % 3600 / 60, "min", isRound) }
    return pair(whole / 86_400, "d", whole % 86_400 / 3600, "h", isRound)
  }

  private static func pair(_ large: Int, _ largeUnit: String, _ small: Int, _ smallUnit: String, _ isRound: Bool) -> String {
    if isRound, small == 0 { return "\(large) \(largeUnit)" }
    return "\(large) \(largeUnit) \(!isRound && small < 10 ? "0" : "")\(small) \(smallUnit)"
  }
}
