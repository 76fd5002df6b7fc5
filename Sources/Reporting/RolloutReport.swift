import JSONValues

/// Completions that a policy sampled: their rewards, and what a filter kept of them.
package struct RolloutReport: Sendable {
  /// Records that share a pass rate.
  package struct PassRate: Sendable, Equatable {
    package let rate: Double
    package let records: Int

    package init(rate: Double, records: Int) { (self.rate, self.records) = (rate, records) }
  }

  /// Records by the variance of their completions' rewards: none at all, then up to each edge, then beyond.
  package struct Variances: Sendable, Equatable {
    package let zero: Int
    package let edges: [Double]
    package let records: [Int]
    package let beyond: Int
  }

  /// The records before or after a filter.
  package struct Part: Sendable {
    package let records: Int
    package let completions: Int
    package let passRate: Double?
    package let rewardMean: Double?
    package let rewardVariance: Double?
    package let varianceWithin: Double?
    /// The share of records whose completions all have the same reward.
    package let equalShare: Double?
    package let passRates: [PassRate]
    package let variances: Variances?
  }

  package struct Filter: Sendable {
    package let instance: String
    package let criterion: String
    package let component: String?
    /// `none`, or how a control group was drawn.
    package let control: String?
    package let kept: Int
    package let of: Int
    package let isUnfiltered: Bool
    package let reasons: [(reason: String, records: Int)]
    package let before: Part
    package let after: Part
  }

  /// The rollouts' instance; the filter's where the rollouts are not of this run.
  package let instance: String
  /// `reward`, `reward_variance`, `rewards/NAME/mean`, `entropy`, `completions/mean_length`, …
  package let statistics: [(name: String, value: Double?)]
  package let prompts: Int?
  package let completions: Int?
  /// Completions by length in tokens, `8-15`.
  package let lengths: [(range: String, completions: Int)]
  package let filters: [Filter]
}

// MARK: - From records

extension RolloutReport {
  static func all(_ records: inout RunRecords, _ rows: [InstanceRow]) -> [RolloutReport] {
    var filters: [(from: Int?, filter: Filter)] = []
    for index in records.instances(of: "filter/rif") {
      guard let json = records.json(index, "report") else { continue }
      guard let filter = Filter(json, records.name(index)) else {
        records.note(index, "output report is not what filter/rif writes")
        continue
      }
      let source = rows[index].inputs.first { $0.name == "rollouts" }?.elements.first?.from
      filters.append((source, filter))
    }
    var reports: [RolloutReport] = []
    var used: Set<Int> = []
    for index in records.instances(of: "rollout") {
      guard let json = records.json(index, "statistics") else { continue }
      used.insert(index)
      reports.append(RolloutReport(json, records.name(index), filters: filters.filter { $0.from == index }.map(\.filter)))
    }
    for (source, filter) in filters where source.map({ !used.contains($0) }) ?? true {
      reports.append(
        RolloutReport(
          instance: filter.instance, statistics: [], prompts: nil, completions: nil, lengths: [], filters: [filter]))
    }
    return reports
  }

  private init(_ json: JSONValue, _ instance: String, filters: [Filter]) {
    let counts = ["prompts", "completions", "completion_tokens", "length_histogram"]
    self.instance = instance
    statistics = (json.objectValue?.members ?? []).filter { !counts.contains($0.key) }.map { ($0.key, $0.value.numberValue) }
    prompts = json["prompts"]?.integerValue
    completions = json["completions"]?.integerValue
    lengths = (json["length_histogram"]?.objectValue?.members ?? []).map { ($0.key, $0.value.integerValue ?? 0) }
    self.filters = filters
  }
}

extension RolloutReport.Filter {
  fileprivate init?(_ json: JSONValue, _ instance: String) {
    guard let before = RolloutReport.Part(json["before"]), let after = RolloutReport.Part(json["after"]),
      let kept = json["kept"]?.integerValue, let records = json["records"]?.integerValue
    else { return nil }
    self.init(
      instance: instance, criterion: json["criterion"]?.stringValue ?? "", component: json["filter_key"]?.stringValue,
      control: json["control"]?.stringValue, kept: kept, of: records, isUnfiltered: json["unfiltered"]?.boolValue ?? false,
      reasons: (json["reasons"]?.objectValue?.members ?? []).map { ($0.key, $0.value.integerValue ?? 0) }, before: before, after: after)
  }
}

extension RolloutReport.Part {
  fileprivate init?(_ json: JSONValue?) {
    guard let json, let records = json["records"]?.integerValue else { return nil }
    let rates = (json["pass_rate_histogram"]?.arrayValue ?? []).compactMap { row -> RolloutReport.PassRate? in
      guard let rate = row["pass_rate"]?.numberValue, let records = row["records"]?.integerValue else { return nil }
      return .init(rate: rate, records: records)
    }
    let variances = json["reward_variance_histogram"].map { json in
      RolloutReport.Variances(
        zero: json["zero"]?.integerValue ?? 0, edges: (json["edges"]?.numbers ?? []).compactMap { $0 },
        records: (json["records"]?.arrayValue ?? []).compactMap(\.integerValue), beyond: json["beyond"]?.integerValue ?? 0)
    }
    self.init(
      records: records, completions: json["completions"]?.integerValue ?? 0, passRate: json["pass_rate"]?.numberValue,
      rewardMean: json["reward_mean"]?.numberValue, rewardVariance: json["reward_variance"]?.numberValue,
      varianceWithin: json["reward_variance_within"]?.numberValue, equalShare: json["frac_reward_zero_std"]?.numberValue, passRates: rates,
      variances: variances)
  }

  fileprivate var json: JSONValue {
    var object = JSONObject([
      ("records", .integer(records)), ("completions", .integer(completions)), ("pass_rate", passRate.json),
      ("reward_mean", rewardMean.json), ("reward_variance", rewardVariance.json), ("reward_variance_within", varianceWithin.json),
      ("frac_reward_zero_std", equalShare.json),
      ("pass_rate_histogram", .array(passRates.map { ["pass_rate": .number($0.rate), "records": .integer($0.records)] })),
    ])
    if let variances {
      object.append(
        "reward_variance_histogram",
        [
          "zero": .integer(variances.zero), "edges": .array(variances.edges.map { .number($0) }),
          "records": .array(variances.records.map { .integer($0) }), "beyond": .integer(variances.beyond),
        ])
    }
    return .object(object)
  }
}

extension RolloutReport {
  package var json: JSONValue {
    var object = JSONObject([("instance", .string(instance))])
    if let prompts { object.append("prompts", .integer(prompts)) }
    if let completions { object.append("completions", .integer(completions)) }
    if !statistics.isEmpty { object.append("statistics", .object(JSONObject(statistics.map { ($0.name, $0.value.json) }))) }
    if !lengths.isEmpty { object.append("length_histogram", .object(JSONObject(lengths.map { ($0.range, .integer($0.completions)) }))) }
    if !filters.isEmpty { object.append("filters", .array(filters.map(\.json))) }
    return .object(object)
  }
}

extension RolloutReport.Filter {
  fileprivate var json: JSONValue {
    [
      "instance": .string(instance), "criterion": .string(criterion), "filter_key": component.json, "control": control.json,
      "kept": .integer(kept), "of": .integer(of), "unfiltered": .bool(isUnfiltered),
      "reasons": .object(JSONObject(reasons.map { ($0.reason, .integer($0.records)) })), "before": before.json, "after": after.json,
    ]
  }
}
