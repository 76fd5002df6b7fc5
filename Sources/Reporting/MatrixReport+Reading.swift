import Artifacts
import Execution
import JSONValues

// From the `table` of `report/forgetting`, see docs/forgetting.md.

extension MatrixReport {
  /// Of a run, without reading the rest of it.
  package static func read(_ run: RecordedRun, _ store: Store) throws(StoreError) -> [MatrixReport] {
    guard run.instances.contains(where: { $0.stage == stage }) else { return [] }
    var records = try RunRecords(run, store, stages: [stage])
    return all(&records)
  }

  private static let stage = "report/forgetting"

  static func all(_ records: inout RunRecords) -> [MatrixReport] {
    var reports: [MatrixReport] = []
    for index in records.instances(of: stage) {
      guard let table = records.json(index, "table") else { continue }
      let instance = records.run.instances[index]
      if let report = MatrixReport(table, instance.name, title: instance.parameters["title"]?.stringValue) {
        reports.append(report)
      } else {
        records.note(index, "output table is not what report/forgetting writes")
      }
    }
    return reports
  }

  init?(_ table: JSONValue, _ instance: String, title: String?) {
    guard let methods = table["methods"]?.arrayValue, let suites = table["suites"]?.arrayValue else { return nil }
    let read = methods.compactMap(Method.init)
    guard read.count == methods.count else { return nil }
    self.instance = instance
    self.title = title ?? instance
    confidence = table["confidence"]?.numberValue ?? 0.95
    referenceMethod = table["reference_method"]?.stringValue
    learningToldBy = table["learning_told_by"]?.stringValue
    self.suites = suites.compactMap(Suite.init)
    self.methods = read
    comparisons = (table["comparisons"]?.arrayValue ?? []).compactMap(Comparison.init)
    warnings = table["warnings"]?.strings ?? []
    self.table = table
  }
}

extension MatrixReport.Summary {
  init?(_ json: JSONValue?) {
    guard let mean = json?["mean"]?.numberValue else { return nil }
    self.init(mean: mean, deviation: json?["sd"]?.numberValue, seeds: json?["seeds"]?.integerValue ?? 1)
  }
}

extension MatrixReport.Change {
  init?(_ json: JSONValue?) {
    guard let json, let difference = json["difference"]?.numberValue, let low = json["low"]?.numberValue,
      let high = json["high"]?.numberValue
    else { return nil }
    self.init(
      difference: difference, low: low, high: high, comparisons: json["comparisons"]?.integerValue ?? 1,
      pValue: json["p_value"]?.numberValue, isOutsideNoise: json["outside_noise"]?.boolValue ?? false,
      verdict: json["verdict"]?.stringValue, fell: json["fell"]?.arrayValue?.count, rose: json["rose"]?.arrayValue?.count,
      step: json["step"]?.integerValue)
  }
}

extension MatrixReport.Suite {
  init?(_ json: JSONValue) {
    guard let name = json["suite"]?.stringValue else { return nil }
    self.init(
      name: name, metric: json["metric"]?.stringValue ?? "", records: json["n"]?.integerValue ?? 0,
      bestConstant: json["best_constant"]?.numberValue, smallestDrop: json["smallest_drop"]?.numberValue,
      smallestDropFromBest: json["smallest_drop_from_best"]?.numberValue)
  }
}

extension MatrixReport.GeneralSuite {
  init?(_ json: JSONValue) {
    guard let suite = json["suite"]?.stringValue, let base = json["base"]?.numberValue else { return nil }
    let isShare = json["points"] != nil
    self.init(
      suite: suite, metric: json["metric"]?.stringValue ?? "", isHigherBetter: json["higher_is_better"]?.boolValue ?? true, base: base,
      after: json["after"]?.numbers ?? [], isShare: isShare, change: json[isShare ? "points" : "difference"]?.numberValue,
      percent: json["percent"]?.numberValue, verdict: json["verdict"]?.stringValue, severity: json["severity"]?.stringValue,
      interval: .init(json["from_base"]))
  }
}

extension MatrixReport.General {
  init?(_ json: JSONValue?) {
    guard let json, let mean = json["mean_points"]?.numberValue else { return nil }
    self.init(
      mean: mean, low: json["low"]?.numberValue, high: json["high"]?.numberValue, isOutsideNoise: json["outside_noise"]?.boolValue,
      worst: json["worst"]?.stringValue, worstPoints: json["worst_points"]?.numberValue, severity: json["severity"]?.stringValue,
      suites: (json["suites"]?.arrayValue ?? []).compactMap(MatrixReport.GeneralSuite.init))
  }
}

extension MatrixReport.Task {
  init?(_ json: JSONValue) {
    guard let name = json["task"]?.stringValue else { return nil }
    self.init(
      name: name, fromBase: .init(json["from_base"]), fromBest: .init(json["from_best"]), fromLearned: .init(json["from_learned"]))
  }
}

extension MatrixReport.Seed {
  init?(_ json: JSONValue) {
    guard let rows = json["R"]?.arrayValue else { return nil }
    self.init(
      seed: json["seed"] ?? .null, cells: rows.map(\.numbers), standardErrors: (json["R_stderr"]?.arrayValue ?? []).map(\.numbers),
      metrics: (json["metrics"]?.objectValue?.members ?? []).map { ($0.key, $0.value.numberValue) },
      forgotten: json["tasks_forgotten"]?.integerValue ?? 0,
      tasks: (json["tasks"]?.arrayValue ?? []).compactMap(MatrixReport.Task.init), joint: json["joint"]?.numbers ?? [],
      general: .init(json["general"]), text: (json["text"]?.arrayValue ?? []).compactMap(MatrixReport.GeneralSuite.init))
  }
}

extension MatrixReport.Method {
  init?(_ json: JSONValue) {
    guard let name = json["method"]?.stringValue, let tasks = json["tasks"]?.strings, let rows = json["R"]?.arrayValue,
      let seeds = json["seeds"]?.arrayValue?.compactMap(MatrixReport.Seed.init), rows.count == tasks.count + 1,
      rows.allSatisfy({ $0.arrayValue?.count == tasks.count })
    else { return nil }
    let summaries = rows.map { ($0.arrayValue ?? []).map { MatrixReport.Summary($0) } }
    let only = seeds.count == 1 ? seeds[0] : nil
    let cells = summaries.enumerated().map { step, row in
      row.enumerated().map { task, summary -> MatrixReport.Cell? in
        guard let summary else { return nil }
        let isLast = step == tasks.count
        let own = only.flatMap { $0.standardErrors.indices.contains(step) ? $0.standardErrors[step] : nil }
        return MatrixReport.Cell(
          value: summary, standardError: own.flatMap { $0.indices.contains(task) ? $0[task] : nil },
          change: step == 0 ? nil : summaries[0][task].map { summary.mean - $0.mean },
          interval: isLast ? only.flatMap { $0.tasks.indices.contains(task) ? $0.tasks[task].fromBase : nil } : nil)
      }
    }
    let general = MatrixReport.General(json["general"])
    self.init(
      name: name, labels: json["labels"]?.objectValue ?? JSONObject(), tasks: tasks, hasLearned: json["learned"]?.boolValue,
      metrics: (json["metrics"]?.objectValue?.members ?? []).map { ($0.key, MatrixReport.Summary($0.value)) },
      missing: (json["missing"]?.objectValue?.members ?? []).compactMap { member in member.value.stringValue.map { (member.key, $0) } },
      // Of one seed the seed's own has intervals and suites as well.
      cells: cells, general: only?.general ?? general, seeds: seeds)
  }
}

extension MatrixReport.Comparison {
  init?(_ json: JSONValue) {
    guard let method = json["method"]?.stringValue, let against = json["against"]?.stringValue, let claim = json["claim"]?.stringValue
    else { return nil }
    self.init(
      method: method, against: against, metric: json["metric"]?.stringValue ?? "fm", claim: claim,
      claimAtEqualGain: json["claim_at_equal_gain"]?.stringValue)
  }
}
