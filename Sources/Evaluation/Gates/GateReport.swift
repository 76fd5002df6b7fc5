import Datasets
import JSONValues

/// A JSON report as a gate reads it: the table of `report/forgetting`, where metrics are a method's, or anything else, where a metric is a path
/// to a number.
package struct GateReport: Sendable {
  private let json: JSONValue
  private let name: String

  /// - Parameter name: what errors call it.
  package init(_ json: JSONValue, name: String) { (self.json, self.name) = (json, name) }

  private var methods: [JSONValue]? {
    guard json["unit"] == "points", let methods = json["methods"]?.arrayValue, methods.allSatisfy({ $0["metrics"] != nil }) else {
      return nil
    }
    return methods
  }

  /// Metrics of one number for a method, beyond `metrics`.
  private static let others = ["upper_bound_gap", "tasks_forgotten"]

  /// What bounds may ask for.
  var names: [String] {
    guard let methods else { return [] }
    return (methods.first?["metrics"]?.objectValue?.keys ?? []) + Self.others
      + (methods.contains { $0["general"] != nil } ? [GateBound.mean, GateBound.worst] : [])
  }

  /// Nil where the report has no such metric.
  func checks(_ bound: GateBound) throws(DatasetError) -> [GateCheck]? {
    guard let methods else { return try number(bound) }
    guard names.contains(where: { $0.utf8.elementsEqual(bound.metric.utf8) }) else { return nil }
    let chosen = methods.filter { method in
      guard let wanted = bound.method else { return true }
      let labels = method["labels"]?.objectValue?.members.map(\.value.labelName) ?? []
      return ([method["method"]?.stringValue ?? ""] + labels).contains { $0.utf8.elementsEqual(wanted.utf8) }
    }
    guard !chosen.isEmpty else {
      let known = methods.compactMap { $0["method"]?.stringValue }.joined(separator: "; ")
      throw DatasetError("no method is called '\(bound.method ?? "")'; there is \(known)")
    }
    var checks: [GateCheck] = []
    for method in chosen { for limit in bound.limits { checks.append(try check(bound, limit, method)) } }
    return checks
  }

  private func check(_ bound: GateBound, _ limit: GateBound.Limit, _ method: JSONValue) throws(DatasetError) -> GateCheck {
    let subject = method["method"]?.stringValue ?? "model"
    if bound.isOfSuites { return try general(bound, limit, method, subject) }
    if case .maxDrop = limit { throw DatasetError("'\(bound.metric)' takes min or max: it is no score that has a base") }
    let value =
      bound.metric == "tasks_forgotten"
      ? (method["seeds"]?.arrayValue ?? []).reduce(0.0) { $0 + ($1["tasks_forgotten"]?.numberValue ?? 0) }
      : (method["metrics"]?[bound.metric] ?? method[bound.metric])?["mean"]?.numberValue
    guard let value else {
      let reason = method["missing"]?[bound.metric]?.stringValue.map { ": \($0)" } ?? ""
      throw DatasetError("'\(bound.metric)' of '\(subject)' has no value\(reason)", file: name)
    }
    return GateCheck(bound, limit, subject: subject, value: value)
  }

  /// The mean over seeds; outside noise where it is on every seed.
  private func general(
    _ bound: GateBound, _ limit: GateBound.Limit, _ method: JSONValue, _ subject: String
  ) throws(DatasetError) -> GateCheck {
    guard case .maxDrop = limit else { throw DatasetError("'\(bound.metric)' of a report on forgetting takes max_drop") }
    guard bound.suites.isEmpty else { throw DatasetError("a report on forgetting has '\(bound.metric)' of all its suites; give scores") }
    guard let general = method["general"], let mean = general["mean_points"]?.numberValue, let worst = general["worst_points"]?.numberValue
    else { throw DatasetError("'\(subject)' has no scores of general suites at its end", file: name) }
    let seeds = (method["seeds"]?.arrayValue ?? []).compactMap { $0["general"] }
    guard bound.isWorst else {
      let only: JSONValue? = seeds.count == 1 ? .some(seeds[0]) : .none
      return GateCheck(
        bound, limit, subject: subject, value: mean, low: only?["low"]?.numberValue, high: only?["high"]?.numberValue,
        isOutsideNoise: !seeds.isEmpty && seeds.allSatisfy { $0["outside_noise"]?.boolValue == true })
    }
    let suite = general["worst"]?.stringValue
    let verdicts = seeds.flatMap { $0["suites"]?.arrayValue ?? [] }.filter { $0["suite"]?.stringValue == suite }
    return GateCheck(
      bound, limit, subject: subject, suite: suite, value: worst,
      isOutsideNoise: !verdicts.isEmpty
        && verdicts.allSatisfy { $0["verdict"]?.stringValue == PairedComparison.Verdict.forgetting.rawValue })
  }

  /// `leakage.exact`: members, one in another.
  private func number(_ bound: GateBound) throws(DatasetError) -> [GateCheck]? {
    let path = bound.metric.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    var found: JSONValue? = json
    for member in path { found = found?[member] }
    guard let found else { return nil }
    guard let value = found.numberValue else {
      throw DatasetError("'\(bound.metric)' must be a number, found \(found.kindName)", file: name)
    }
    return try bound.limits.map { limit throws(DatasetError) in
      if case .maxDrop = limit { throw DatasetError("'\(bound.metric)' takes min or max: it is no score that has a base") }
      return GateCheck(bound, limit, subject: nil, value: value)
    }
  }
}
