import Evaluation
import Plotting

// What stands below the methods' own table: each method's matrix and drops, general suites, what the suites can show, each seed.

extension ForgettingText {
  // MARK: - A method

  func matrix(_ method: MethodForgetting) -> MarkdownTable {
    guard method.runs.count > 1 else { return matrix(method.runs[0], method.tasks) }
    return matrix(method.tasks) { step, task in Self.text(method.cell(step, task)) }
  }

  private func matrix(_ run: RunForgetting, _ tasks: [String]) -> MarkdownTable {
    matrix(tasks) { step, task in
      guard let cell = run.scores.cells[step][task] else { return Self.missing }
      return FixedDigits.text(cell.value * 100, 1) + (cell.standardError.map { " ± " + FixedDigits.text($0 * 100, 1) } ?? "")
    }
  }

  private func matrix(_ tasks: [String], _ cell: (Int, Int) -> String) -> MarkdownTable {
    var table = MarkdownTable([.init("after", .left)] + tasks.map { .init($0) })
    for step in 0...tasks.count { table.add([step == 0 ? "base" : tasks[step - 1]] + tasks.indices.map { cell(step, $0) }) }
    return table
  }

  func drops(_ method: MethodForgetting) -> MarkdownTable {
    var table = MarkdownTable(
      [.init("task", .left), .init("from the best step"), .init("", .left), .init("lost"), .init("won")]
        + [.init("from the base"), .init("", .left), .init("lost"), .init("won")]
        + (report.hasJoint ? [.init("intransigence")] : []))
    for (index, task) in method.tasks.enumerated() {
      let best = method.runs.compactMap { $0.tasks[index].fromBest }
      let steps = Set(best.map(\.step))
      let after = steps.count == 1 ? steps.first.map { $0 == 0 ? " (base)" : " (\(method.tasks[$0 - 1]))" } ?? "" : ""
      let own = Self.change(best.map(\.change), of: method.runs.count)
      table.add(
        [task, own[0] + (best.isEmpty ? "" : after)] + own.dropFirst()
          + Self.change(method.runs.compactMap { $0.tasks[index].fromBase }, of: method.runs.count)
          + (report.hasJoint ? [Self.signed(method.intransigence(index))] : []))
    }
    return table
  }

  /// Change with its interval or its deviation over seeds, verdict, records that fell and rose.
  private static func change(_ changes: [PairedComparison], of runs: Int) -> [String] {
    guard changes.count == runs else { return [missing, missing, missing, missing] }
    return [
      difference(changes, scale: 100, digits: 1), verdict(changes.map(\.verdict)), String(changes.reduce(0) { $0 + $1.fell.count }),
      String(changes.reduce(0) { $0 + $1.rose.count }),
    ]
  }

  private static func difference(_ changes: [PairedComparison], scale: Double, digits: Int) -> String {
    guard changes.count == 1 else { return signed(SeedSummary(changes.map(\.difference)), scale: scale, digits: digits) }
    let interval = changes[0].interval
    let bounds = [interval.lowerBound, interval.upperBound].map { FixedDigits.signed($0 * scale, digits) }
    return "\(FixedDigits.signed(changes[0].difference * scale, digits)) [\(bounds[0]), \(bounds[1])]"
  }

  /// Of several seeds how often each was found, but for what is the same on all.
  private static func verdict(_ verdicts: [PairedComparison.Verdict]) -> String {
    var counts: [(verdict: PairedComparison.Verdict, count: Int)] = []
    for verdict in [PairedComparison.Verdict.forgetting, .gain, .withinNoise, .same] {
      let count = verdicts.count { $0 == verdict }
      if count > 0 { counts.append((verdict, count)) }
    }
    if counts.count == 1 { return counts[0].verdict.rawValue }
    return counts.map { "\($0.verdict.rawValue) \($0.count)/\(verdicts.count)" }.joined(separator: ", ")
  }

  var dropNotes: String {
    let confidence = FixedDigits.text(report.settings.confidence * 100, 1)
    let several = hasSeeds ? "\nOf several seeds: the mean drop ± its deviation, how many seeds say what, and the sums of records." : ""
    return """
      In brackets the paired \(confidence) % bootstrap interval over records. A drop is forgetting when 0 lies outside it and McNemar's exact test
      agrees, and within noise otherwise. The best earlier step is picked by the same scores, which makes the drop from it look larger than
      it is; so its interval and test are those of as many comparisons as there are earlier steps (Bonferroni). Lost are records that went
      from right to wrong, won from wrong to right.\(several)

      """
  }

  // MARK: - General suites

  func generalTable(isShare: Bool) -> MarkdownTable {
    let (scale, digits) = isShare ? (100.0, 1) : (1.0, 4)
    var table = MarkdownTable(
      [.init("method", .left), .init("suite", .left)] + (isShare ? [] : [.init("metric", .left)]) + [.init("base"), .init("end")]
        + [.init("change"), .init("%"), .init("", .left)]
        + (isShare ? [.init("lost"), .init("won"), .init("severity", .left)] : []))
    for method in report.methods {
      for (suite, runs) in method.generalSuites where runs[0].isShare == isShare {
        let deltas = runs.compactMap(\.delta)
        let isComplete = deltas.count == method.runs.count
        let base = SeedSummary(runs.map(\.scores.base.value))
        var row = [method.name, suite] + (isShare ? [] : [runs[0].scores.base.metric]) + [Self.text(base, scale: scale, digits: digits)]
        guard isComplete else {
          table.add(row + [Self.missing])
          continue
        }
        let delta = GeneralDelta(suite: suite, base: base.mean, score: SeedSummary(deltas.map(\.score)).mean)
        row.append(Self.text(SeedSummary(deltas.map(\.score)), scale: scale, digits: digits))
        row.append(
          isShare
            ? Self.difference(runs.compactMap(\.change), scale: scale, digits: digits)
            : Self.signed(SeedSummary(runs.compactMap(\.difference)), scale: scale, digits: digits))
        row.append(delta.percent.map { FixedDigits.signed($0, 1) } ?? Self.missing)
        row.append(Self.verdict(runs.compactMap(\.verdict)))
        if isShare {
          let changes = runs.compactMap(\.change)
          row += [String(changes.reduce(0) { $0 + $1.fell.count }), String(changes.reduce(0) { $0 + $1.rose.count })]
          row.append(Severity(points: delta.points, bounds: report.settings.bounds).rawValue)
        }
        table.add(row)
      }
      if isShare, let retention = method.meanRetention(report.settings.bounds) {
        let all = method.runs.compactMap(\.generalChange)
        let mean =
          all.count == 1
          ? "\(FixedDigits.signed(all[0].difference, 1)) [\(FixedDigits.signed(all[0].low, 1)), \(FixedDigits.signed(all[0].high, 1))]"
          : Self.signed(SeedSummary(all.map(\.difference)), scale: 1, digits: 1)
        table.add([method.name, "mean", "", "", mean, "", "", "", "", retention.severity.rawValue])
      }
    }
    return table
  }

  var generalNote: String {
    let bounds = report.settings.bounds
    func digits(_ value: Double) -> String { FixedDigits.text(value, value == value.rounded() ? 0 : 1) }
    return """
      Severity is by points below the base: mild under \(digits(bounds.moderate)), moderate to \(digits(bounds.severe)), severe beyond; catastrophic when every suite is severe
      and most are within \(digits(bounds.chanceMargin)) of the best constant answer. In the mean's line it is that of the worst suite.

      """
  }

  var measuredNote: String {
    """
    Of bits per byte lower is better. These are no points and enter no mean above. Whether a change is noise is told by the records' own
    values, each weighing the same.

    """
  }

  // MARK: - Suites

  var suiteTable: MarkdownTable {
    var table = MarkdownTable([
      .init("suite", .left), .init("records"), .init("metric", .left), .init("best constant answer"), .init("smallest drop"),
      .init("from the best step"),
    ])
    for suite in report.suites {
      table.add(
        [suite.scores.suite, String(suite.scores.perRecord.count), suite.scores.metric]
          + [suite.scores.bestConstant, suite.smallestDrop, suite.smallestDropFromBest]
          .map { $0.map { FixedDigits.text($0 * 100, 1) } ?? "" })
    }
    return table
  }

  var suiteNote: String {
    """
    Smallest drop: what a comparison with one model, and with the best of all earlier steps, finds in 80 % of cases when
    \(FixedDigits.text(changedShare * 100, 0)) % of the answers change.

    """
  }

  // MARK: - Seeds

  var seeds: String {
    report.methods.flatMap { method in
      method.runs.map { run in "\(method.name)\(run.seed.map { ", \($0.axis) \($0.name)" } ?? ""):\n\n\(matrix(run, method.tasks).text)" }
    }.joined(separator: "\n") + "\n± is the standard error over records."
  }
}
