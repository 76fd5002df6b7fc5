import JSONValues

extension FilterReport {
  /// Counts, histograms, and a verdict for each record in their order.
  package var json: JSONValue {
    var object = JSONObject([
      ("criterion", .string(filter.criterion.rawValue)), ("filter_key", .string(component)), ("threshold", .number(filter.threshold)),
    ])
    if filter.criterion == .passRate {
      object.append("filter_low", .number(filter.low))
      object.append("filter_high", .number(filter.high))
    }
    object.append("control", .string(filter.control.rawValue))
    if isUnfiltered { object.append("unfiltered", true) }
    object.append("records", .integer(instances.count))
    object.append("kept", .integer(keptCount))
    object.append("dropped", .integer(instances.count - keptCount))
    object.append("share_kept", .number(Double(keptCount) / Double(max(instances.count, 1))))
    object.append("reasons", .object(JSONObject(reasons.map { ($0.reason.rawValue, .integer($0.count)) })))
    object.append("before", part(instances))
    object.append("after", part(kept))
    object.append("per_record", .array(zip(instances, verdicts).map { row($0, $1) }))
    return .object(object)
  }

  /// One line of the pass rates: what any rule is a function of.
  package func passRateRow(_ instance: InstanceScores) -> JSONValue {
    var row = JSONObject([("index", .integer(instance.index)), ("prompt", .string(instance.prompt))])
    for (name, value) in counts(instance) { row.append(name, value) }
    row.append("values", Self.list(instance.values))
    row.append("rewards", Self.list(instance.rewards))
    return .object(row)
  }

  private func row(_ instance: InstanceScores, _ verdict: InstanceFilter.Verdict) -> JSONValue {
    let verdicts: [(String, JSONValue)] = [("kept", .bool(verdict.isKept)), ("reason", .string(verdict.reason.rawValue))]
    return .object(JSONObject([("index", .integer(instance.index))] + verdicts + counts(instance)))
  }

  private func counts(_ instance: InstanceScores) -> [(String, JSONValue)] {
    [
      ("scored", .integer(instance.scored)), ("correct", .integer(instance.correct(filter.threshold))),
      ("pass_rate", Self.optional(instance.passRate(filter.threshold))), ("reward_mean", Self.optional(instance.rewardMean)),
      ("reward_variance", Self.optional(instance.rewardVariance)),
    ]
  }

  private func part(_ instances: [InstanceScores]) -> JSONValue {
    let summary = summary(instances)
    let variances = variances(instances)
    return [
      "records": .integer(summary.records), "completions": .integer(summary.completions), "pass_rate": Self.optional(summary.passRate),
      "reward_mean": Self.optional(summary.rewardMean), "reward_variance": Self.optional(summary.rewardVariance),
      "reward_variance_within": Self.optional(summary.varianceWithin), "frac_reward_zero_std": Self.optional(summary.equalShare),
      "pass_rate_histogram": .array(passRates(instances).map { ["pass_rate": .number($0.rate), "records": .integer($0.records)] }),
      "reward_variance_histogram": [
        "zero": .integer(variances.zero), "edges": .array(VarianceHistogram.edges.map { .number($0) }),
        "records": .array(variances.counts.map { .integer($0) }), "beyond": .integer(variances.beyond),
      ],
    ]
  }

  private static func optional(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
  private static func list(_ values: [Double?]) -> JSONValue { .array(values.map { optional($0) }) }
}
