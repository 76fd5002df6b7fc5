import Evaluation
import JSONValues

// The report for programs: points, the hundredths of a share; null where there is no value.

extension ParetoReport {
  func json(confidence: Double) -> JSONValue {
    let base = base.map { JSONValue.object(JSONObject([("domain", .number($0.domain)), ("general", .number($0.general))])) }
    return .object(
      JSONObject([
        ("unit", "points"), ("confidence", .number(confidence)), ("domain_suites", .array(domainSuites.map { .string($0) })),
        ("general_suites", .array(generalSuites.map { .string($0) })), ("base", base ?? .null), ("reference", name(reference)),
        ("front", .array(front.front.map { .string(points[$0].name) })), ("knee", name(knee)),
        ("points", .array(points.indices.map(json))),
      ]))
  }

  private func name(_ place: Int?) -> JSONValue { place.map { .string(points[$0].name) } ?? .null }

  private func json(_ index: Int) -> JSONValue {
    let point = points[index]
    return .object(
      JSONObject([
        ("point", .string(point.name)), ("labels", .object(JSONObject(point.labels.map { ($0.axis, $0.value) }))),
        ("seeds", .integer(point.seeds)), ("domain", point.domain.json), ("general", point.general.json),
        ("learned", point.hasLearned.map { .bool($0) } ?? .null), ("on_front", .bool(front.front.contains(index))),
        ("knee", .bool(index == knee)), ("dominated_by", .array(front.dominators(of: index).map { .string(points[$0].name) })),
      ]))
  }
}

extension ParetoReport.Coordinate {
  fileprivate var json: JSONValue {
    func number(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
    return .object(
      JSONObject([
        ("value", .number(value)), ("error", number(error)), ("change", number(change)), ("low", number(low)), ("high", number(high)),
        ("outside_noise", isOutsideNoise.map { .bool($0) } ?? .null),
      ]))
  }
}
