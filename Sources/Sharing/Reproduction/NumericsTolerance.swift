import JSONValues

/// What a numerics class promises of results that were computed elsewhere.
///
/// `portable` promises bytes. `native` promises them for one kernel; another one rounds otherwise, and training amplifies that, so of
/// weights nothing can be said, and of scores that they agree within their own uncertainty.
package enum NumericsTolerance: Sendable, Equatable {
  case bits
  case metrics

  /// - Parameters: kernels of the locked and of the found result; nil where none is recorded.
  package static func of(numerics: String, locked: String?, found: String?) -> NumericsTolerance {
    guard numerics == "native", let locked, let found, locked != found else { return .bits }
    return .metrics
  }

  /// Standard errors of the difference.
  package static let standardErrors = 2.0
  /// Where scores state no error: a share of the value.
  package static let share = 0.01

  /// What is beyond the tolerance, in words; empty when nothing is. Nil where there is nothing to compare.
  package static func excess(_ locked: JSONObject, _ found: JSONObject) -> [String]? {
    if locked.isEmpty || found.isEmpty { return nil }
    return locked.members.compactMap { name, metric in
      guard let old = metric["value"]?.numberValue else { return nil }
      guard let new = found[name]?["value"]?.numberValue else { return "\(name) is gone" }
      let errors = [metric, found[name]].compactMap { $0?["stderr"]?.numberValue }
      let bound =
        errors.count == 2 && errors.contains { $0 > 0 }
        ? standardErrors * (errors[0] * errors[0] + errors[1] * errors[1]).squareRoot() : share * max(old.magnitude, new.magnitude)
      guard (new - old).magnitude > bound else { return nil }
      return "\(name) \(old) -> \(new), further than \(bound)"
    }
  }
}
