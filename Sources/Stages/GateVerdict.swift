import Evaluation
import JSONValues
import Plotting

/// What a gate found, in words and as JSON.
struct GateVerdict {
  let checks: [GateCheck]
  let confidence: Double

  init(_ checks: [GateCheck], confidence: Double) { (self.checks, self.confidence) = (checks, confidence) }

  /// The member of the JSON that other stages go by.
  static let member = "passed"

  var isPassed: Bool { checks.allSatisfy(\.isPassed) }

  /// Every bound that does not hold, and by how much: one line.
  var failures: String { checks.filter { !$0.isPassed }.map(Self.words).joined(separator: "; ") }

  // MARK: - Words

  private static let digits = 2

  private static func name(_ check: GateCheck) -> String {
    check.bound.metric + (check.suite.map { " (\($0))" } ?? "") + (check.subject.map { " of \($0)" } ?? "")
  }

  private static func limit(_ check: GateCheck) -> String { "\(check.limit.name) \(FixedDigits.text(check.limit.value, digits))" }

  private static func words(_ check: GateCheck) -> String {
    let beyond = FixedDigits.text(check.excess, digits)
    switch check.limit {
    case .min: return "\(name(check)) is \(FixedDigits.text(check.value, digits)), \(beyond) below \(limit(check))"
    case .max: return "\(name(check)) is \(FixedDigits.text(check.value, digits)), \(beyond) above \(limit(check))"
    case .maxDrop:
      let interval = self.interval(check).map { ", between \($0)" } ?? ""
      return "\(name(check)) fell by \(FixedDigits.text(-check.value, digits)), \(beyond) more than \(limit(check))\(interval)"
    }
  }

  private static func interval(_ check: GateCheck) -> String? {
    guard let low = check.low, let high = check.high else { return nil }
    return "\(FixedDigits.signed(low, digits)) and \(FixedDigits.signed(high, digits))"
  }

  private static func outcome(_ check: GateCheck) -> String {
    if check.isExcused { return "passed, within noise" }
    return check.isPassed ? "passed" : "failed by \(FixedDigits.text(check.excess, digits))"
  }

  func text(title: String) -> String {
    var table = MarkdownTable([
      .init("metric", .left), .init("model", .left), .init("bound", .left), .init("value"), .init("interval", .left), .init("", .left),
    ])
    for check in checks {
      let isChange = if case .maxDrop = check.limit { true } else { false }
      let value = isChange ? FixedDigits.signed(check.value, Self.digits) : FixedDigits.text(check.value, Self.digits)
      let limit = Self.limit(check) + (isChange && check.bound.isSignificant ? ", significant" : "")
      table.add([
        check.bound.metric + (check.suite.map { " (\($0))" } ?? ""), check.subject ?? "", limit, value, Self.interval(check) ?? "",
        Self.outcome(check),
      ])
    }
    let share = FixedDigits.text(confidence * 100, 1)
    return "## \(title): \(isPassed ? "passed" : "failed")\n\n\(table.text)\n"
      + "Of max_drop the value is the change from the base, with its paired \(share)% bootstrap interval.\n"
  }

  // MARK: - JSON

  var json: JSONValue {
    .object(
      JSONObject([
        (Self.member, .bool(isPassed)), ("failures", .string(failures)), ("confidence", .number(confidence)),
        ("checks", .array(checks.map(Self.json))),
      ]))
  }

  private static func json(_ check: GateCheck) -> JSONValue {
    .object(
      JSONObject([
        ("metric", .string(check.bound.metric)), ("model", check.subject.map { .string($0) } ?? .null),
        ("suite", check.suite.map { .string($0) } ?? .null), ("bound", .string(check.limit.name)), ("limit", .number(check.limit.value)),
        ("significant", .bool(check.bound.isSignificant)), ("value", .number(check.value)), ("low", check.low.map { .number($0) } ?? .null),
        ("high", check.high.map { .number($0) } ?? .null), ("outside_noise", check.isOutsideNoise.map { .bool($0) } ?? .null),
        ("excess", .number(check.excess)), ("passed", .bool(check.isPassed)),
      ]))
  }
}
