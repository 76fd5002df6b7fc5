import JSONValues

/// What was trained for against everything else, a point a model, in points of a share.
package struct ParetoReport: Sendable {
  package struct Coordinate: Sendable {
    package let value: Double
    /// The standard error over records, or the deviation over seeds.
    package let error: Double?
    /// From the base, with its interval where that is known.
    package let change: Double?
    package let low: Double?
    package let high: Double?
    package let isOutsideNoise: Bool?
  }

  package struct Point: Sendable {
    package let name: String
    package let labels: JSONObject
    package let seeds: Int
    package let domain: Coordinate
    package let general: Coordinate
    package let hasLearned: Bool?
    /// No other point is as good in both and better in one.
    package let isOnFront: Bool
    package let isKnee: Bool
    package let dominatedBy: [String]
  }

  package let instance: String
  package let title: String
  /// Whether it was put together from a report on forgetting, of which each method is a point: AvgAcc against the mean of the general suites.
  package let isDerived: Bool
  package let domainSuites: [String]
  package let generalSuites: [String]
  package let base: (domain: Double, general: Double)?
  package let points: [Point]
}

// MARK: - From records

extension ParetoReport {
  static func all(_ records: inout RunRecords) -> [ParetoReport] {
    var reports: [ParetoReport] = []
    for index in records.instances(of: "report/pareto") {
      guard let table = records.json(index, "table") else { continue }
      let instance = records.run.instances[index]
      if let report = ParetoReport(table, instance.name, title: instance.parameters["title"]?.stringValue) {
        reports.append(report)
      } else {
        records.note(index, "output table is not what report/pareto writes")
      }
    }
    return reports
  }

  private init?(_ table: JSONValue, _ instance: String, title: String?) {
    guard let list = table["points"]?.arrayValue else { return nil }
    let points = list.compactMap(Point.init)
    guard points.count == list.count else { return nil }
    let base = table["base"].flatMap { json -> (domain: Double, general: Double)? in
      guard let domain = json["domain"]?.numberValue, let general = json["general"]?.numberValue else { return nil }
      return (domain, general)
    }
    self.init(
      instance: instance, title: title ?? instance, isDerived: false, domainSuites: table["domain_suites"]?.strings ?? [],
      generalSuites: table["general_suites"]?.strings ?? [], base: base, points: points)
  }

  /// The methods of a report on forgetting; nil where fewer than two have both coordinates.
  init?(points report: MatrixReport) {
    struct Pair {
      let method: MatrixReport.Method
      let domain: Coordinate
      let general: Coordinate
    }
    let pairs = report.methods.compactMap { method -> Pair? in
      guard let accuracy = method.metric("avg_acc"), let general = Self.general(method) else { return nil }
      let domain = Coordinate(
        value: accuracy.mean, error: accuracy.deviation, change: Self.base(method).map { accuracy.mean - $0 }, low: nil, high: nil,
        isOutsideNoise: nil)
      return Pair(method: method, domain: domain, general: general.coordinate)
    }
    guard pairs.count > 1 else { return nil }
    func dominates(_ one: Pair, _ other: Pair) -> Bool {
      one.domain.value >= other.domain.value && one.general.value >= other.general.value
        && (one.domain.value > other.domain.value || one.general.value > other.general.value)
    }
    let points = pairs.map { pair in
      let dominators = pairs.filter { dominates($0, pair) }.map(\.method.name)
      return Point(
        name: pair.method.name, labels: pair.method.labels, seeds: pair.method.seeds.count, domain: pair.domain, general: pair.general,
        hasLearned: pair.method.hasLearned, isOnFront: dominators.isEmpty, isKnee: false, dominatedBy: dominators)
    }
    let first = pairs[0].method
    let base = Self.base(first).flatMap { domain in Self.general(first).map { (domain: domain, general: $0.base) } }
    self.init(
      instance: report.instance, title: report.title, isDerived: true, domainSuites: first.tasks,
      generalSuites: first.seeds.first?.general?.suites.map(\.suite) ?? [], base: base, points: points)
  }

  /// The mean of row 0.
  private static func base(_ method: MatrixReport.Method) -> Double? {
    let row = (method.cells.first ?? []).compactMap { $0?.value.mean }
    return row.isEmpty || row.count < method.tasks.count ? nil : row.reduce(0, +) / Double(row.count)
  }

  /// The mean of the general suites at the end, over suites and seeds.
  private static func general(_ method: MatrixReport.Method) -> (base: Double, coordinate: Coordinate)? {
    let suites = method.seeds.flatMap { $0.general?.suites ?? [] }
    let ends = suites.compactMap { suite in suite.after.last.flatMap { $0 } }
    guard !suites.isEmpty, ends.count == suites.count else { return nil }
    let count = Double(suites.count)
    let base = suites.reduce(0) { $0 + $1.base } / count
    let value = ends.reduce(0, +) / count
    let interval = method.seeds.count == 1 ? method.general : nil
    return (
      base,
      Coordinate(
        value: value, error: nil, change: value - base, low: interval?.low, high: interval?.high, isOutsideNoise: interval?.isOutsideNoise)
    )
  }
}

extension ParetoReport.Point {
  fileprivate init?(_ json: JSONValue) {
    guard let name = json["point"]?.stringValue, let domain = ParetoReport.Coordinate(json["domain"]),
      let general = ParetoReport.Coordinate(json["general"])
    else { return nil }
    self.init(
      name: name, labels: json["labels"]?.objectValue ?? JSONObject(), seeds: json["seeds"]?.integerValue ?? 1, domain: domain,
      general: general, hasLearned: json["learned"]?.boolValue, isOnFront: json["on_front"]?.boolValue ?? false,
      isKnee: json["knee"]?.boolValue ?? false, dominatedBy: json["dominated_by"]?.strings ?? [])
  }
}

extension ParetoReport.Coordinate {
  fileprivate init?(_ json: JSONValue?) {
    guard let json, let value = json["value"]?.numberValue else { return nil }
    self.init(
      value: value, error: json["error"]?.numberValue, change: json["change"]?.numberValue, low: json["low"]?.numberValue,
      high: json["high"]?.numberValue, isOutsideNoise: json["outside_noise"]?.boolValue)
  }

  fileprivate var json: JSONValue {
    [
      "value": .number(value), "error": error.json, "change": change.json, "low": low.json, "high": high.json,
      "outside_noise": isOutsideNoise.json,
    ]
  }
}

extension ParetoReport {
  package var json: JSONValue {
    [
      "instance": .string(instance), "title": .string(title), "derived": .bool(isDerived),
      "domain_suites": .array(domainSuites.map { .string($0) }), "general_suites": .array(generalSuites.map { .string($0) }),
      "base": base.map { ["domain": .number($0.domain), "general": .number($0.general)] } ?? .null,
      "points": .array(points.map(\.json)),
    ]
  }
}

extension ParetoReport.Point {
  fileprivate var json: JSONValue {
    [
      "point": .string(name), "labels": .object(labels), "seeds": .integer(seeds), "domain": domain.json, "general": general.json,
      "learned": hasLearned.json, "on_front": .bool(isOnFront), "knee": .bool(isKnee),
      "dominated_by": .array(dominatedBy.map { .string($0) }),
    ]
  }
}
