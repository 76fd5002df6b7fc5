import Evaluation
import JSONValues

// The report for programs: points everywhere but in `text`, null where there is no value and `missing` for why.

extension ForgettingReport {
  func json(changedShare: Double) -> JSONValue {
    .object(
      JSONObject([
        ("unit", "points"), ("confidence", .number(settings.confidence)), ("resamples", .integer(settings.samples)),
        ("changed_share", .number(changedShare)), ("reference_method", (methods.first { $0.isReference }?.name).json),
        ("learning_told_by", (gainMetric?.rawValue).json), ("suites", .array(suites.map(\.json))),
        ("methods", .array(methods.map { $0.json(hasJoint: hasJoint, settings.bounds) })), ("comparisons", .array(comparisons.map(\.json))),
      ]))
  }
}

extension ForgettingReport.Suite {
  fileprivate var json: JSONValue {
    .object(
      JSONObject([
        ("suite", .string(scores.suite)), ("metric", .string(scores.metric)), ("n", .integer(scores.perRecord.count)),
        ("records", .string(scores.records)), ("best_constant", scores.bestConstant.points), ("smallest_drop", smallestDrop.points),
        ("smallest_drop_from_best", smallestDropFromBest.points),
      ]))
  }
}

extension MethodForgetting {
  fileprivate func json(hasJoint: Bool, _ bounds: SeverityBounds) -> JSONValue {
    let metrics = ContinualMetric.allCases.map { ($0.rawValue, self[$0].json) }
    let gaps = ContinualMetric.allCases.compactMap { metric in gap(metric).map { (metric.rawValue, JSONValue.string($0)) } }
    var object = JSONObject([
      ("method", .string(name)), ("labels", .object(JSONObject(labels.map { ($0.axis, $0.value) }))),
      ("tasks", .array(tasks.map { .string($0) })), ("learned", hasLearned.map { .bool($0) } ?? .null),
      ("metrics", .object(JSONObject(metrics))), ("missing", .object(JSONObject(gaps))),
      ("R", .array((0...tasks.count).map { step in .array(tasks.indices.map { cell(step, $0).json }) })),
    ])
    if hasJoint {
      object.append("intransigence", .array(tasks.indices.map { intransigence($0).json }))
      object.append("upper_bound_gap", upperBoundGap.json)
    }
    if let retention = meanRetention(bounds) { object.append("general", retention.json) }
    object.append("seeds", .array(runs.map { $0.json(tasks, hasJoint: hasJoint) }))
    return .object(object)
  }
}

extension RunForgetting {
  fileprivate func json(_ names: [String], hasJoint: Bool) -> JSONValue {
    var object = JSONObject([
      ("seed", seed?.value ?? .null), ("R", .array(scores.cells.map { row in .array(row.map { ($0?.value).points }) })),
      ("R_stderr", .array(scores.cells.map { row in .array(row.map { ($0?.standardError).points }) })),
      ("metrics", .object(JSONObject(ContinualMetric.allCases.map { ($0.rawValue, self[$0].points) }))),
      ("tasks_forgotten", .integer(forgottenTasks)),
      ("tasks", .array(zip(names, tasks).map { $1.json($0, names) })),
    ])
    if hasJoint {
      object.append("joint", .array(joint.map(\.points)))
      object.append("intransigence", .array(intransigence.map(\.points)))
      object.append("upper_bound_gap", upperBoundGap.points)
    }
    let (shares, others) = (general.filter(\.isShare), general.filter { !$0.isShare })
    if !shares.isEmpty {
      var all = retention?.json.objectValue ?? JSONObject([("mean_points", .null)])
      if let change = generalChange {
        all.append("low", .number(change.low))
        all.append("high", .number(change.high))
        all.append("outside_noise", .bool(change.isOutsideNoise))
      }
      all.set("suites", .array(shares.map { $0.json(bounds: retention?.bounds) }))
      object.append("general", .object(all))
    }
    if !others.isEmpty { object.append("text", .array(others.map { $0.json(bounds: nil) })) }
    return .object(object)
  }
}

extension RunForgetting.Task {
  fileprivate func json(_ name: String, _ tasks: [String]) -> JSONValue {
    var best = fromBest?.change.json(scale: 100)
    if let fromBest, var object = best?.objectValue {
      object.append("step", .integer(fromBest.step))
      object.append("after", fromBest.step == 0 ? .null : .string(tasks[fromBest.step - 1]))
      object.append("of_all_steps", .bool(fromBest.isComplete))
      best = .object(object)
    }
    return .object(
      JSONObject([
        ("task", .string(name)), ("from_base", fromBase?.json(scale: 100) ?? .null), ("from_best", best ?? .null),
        ("from_learned", fromLearned?.json(scale: 100) ?? .null),
      ]))
  }
}

extension RunForgetting.General {
  fileprivate func json(bounds: SeverityBounds?) -> JSONValue {
    let scale = isShare ? 100.0 : 1
    var object = JSONObject([
      ("suite", .string(suite)), ("metric", .string(scores.base.metric)), ("higher_is_better", .bool(scores.base.isHigherBetter)),
      ("base", .number(scores.base.value * scale)), ("after", .array(scores.after.map { ($0.map { $0.value * scale }).json })),
      (isShare ? "points" : "difference", difference.map { .number($0 * scale) } ?? .null), ("percent", (delta?.percent).json),
      ("verdict", (verdict?.rawValue).json), ("from_base", change?.json(scale: scale) ?? .null),
    ])
    if let bounds, let delta { object.append("severity", .string(Severity(points: delta.points, bounds: bounds).rawValue)) }
    return .object(object)
  }
}

extension GeneralRetention {
  fileprivate var json: JSONValue {
    .object(
      JSONObject([
        ("mean_points", .number(meanPoints)), ("worst", .string(worst.suite)), ("worst_points", .number(worst.points)),
        ("severity", .string(severity.rawValue)),
      ]))
  }
}

extension PairedComparison {
  /// The records that flipped are told of right and wrong answers; `fell` went from right to wrong.
  fileprivate func json(scale: Double) -> JSONValue {
    var object = JSONObject([
      ("difference", .number(difference * scale)), ("low", .number(interval.lowerBound * scale)),
      ("high", .number(interval.upperBound * scale)), ("comparisons", .integer(comparisons)),
      ("p_value", isBinary ? .number(pValue) : .null), ("outside_noise", .bool(isOutsideNoise)),
    ])
    guard isBinary else { return .object(object) }
    object.append("verdict", .string(verdict.rawValue))
    object.append("fell", .array(fell.map { .integer($0) }))
    object.append("rose", .array(rose.map { .integer($0) }))
    return .object(object)
  }
}

extension MethodComparison {
  fileprivate var json: JSONValue {
    .object(
      JSONObject([
        ("method", .string(method)), ("against", .string(other)), ("metric", .string(metric.rawValue)),
        ("claim", .string(claim.text(seeds: seeds.count))),
        ("claim_at_equal_gain", (equalGainClaim?.text(seeds: seeds.count)).json),
        (
          "seeds",
          .array(
            seeds.map { seed in
              .object(
                JSONObject([
                  ("seed", seed.name.json), ("fm", .number(seed.forgetting * 100)), ("fm_against", .number(seed.other * 100)),
                  ("equal_gain", (seed.equalGain?.gain).points), ("fm_at_equal_gain", (seed.equalGain?.forgetting).points),
                  ("fm_against_at_equal_gain", (seed.equalGain?.other).points),
                ]))
            })
        ),
      ]))
  }
}

// MARK: - Values that may be missing

extension Double? {
  fileprivate var json: JSONValue { map { .number($0) } ?? .null }
  fileprivate var points: JSONValue { map { .number($0 * 100) } ?? .null }
}

extension String? {
  fileprivate var json: JSONValue { map { .string($0) } ?? .null }
}

extension SeedSummary? {
  /// In points.
  fileprivate var json: JSONValue {
    guard let self else { return .null }
    return .object(
      JSONObject([
        ("mean", .number(self.mean * 100)), ("sd", self.standardDeviation.points), ("seeds", .integer(self.count)),
      ]))
  }
}
