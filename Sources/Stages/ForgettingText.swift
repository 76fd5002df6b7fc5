import Evaluation
import Reporting

/// The report on forgetting for people: Markdown tables, one number a method, a task or a suite, and below each what its words mean.
struct ForgettingText {
  private let report: ForgettingReport
  private let title: String
  private let changedShare: Double
  private let hasSeeds: Bool

  init(_ report: ForgettingReport, title: String, changedShare: Double) {
    self.report = report
    self.title = title
    self.changedShare = changedShare
    hasSeeds = report.methods.contains { $0.runs.count > 1 }
  }

  var text: String {
    var parts = ["## \(title)", orders, methodTable.text + "\n" + methodNotes]
    if report.methods.count > 1 { parts.append("### Who forgets less\n\n" + comparisons) }
    parts += report.methods.map { method in
      "### \(method.name)\n\n\(matrix(method).text)\n\(drops(method).text)"
    }
    parts.append(dropNotes)
    let general = generalTable(isShare: true)
    if !general.rows.isEmpty { parts.append("### General suites\n\n\(general.text)\n\(generalNote)") }
    let measured = generalTable(isShare: false)
    if !measured.rows.isEmpty { parts.append("### General suites in their own units\n\n\(measured.text)\n\(measuredNote)") }
    parts.append("### What the suites can show\n\n\(suiteTable.text)\n\(suiteNote)")
    if hasSeeds { parts.append("### Seed by seed\n\n" + seeds) }
    return parts.joined(separator: "\n\n").replacingOccurrences(of: "\n\n\n", with: "\n\n") + "\n"
  }

  // MARK: - Methods

  /// One line where all methods go the same way.
  private var orders: String {
    let orders = report.methods.map { $0.tasks.joined(separator: ", ") }
    let unit = "All scores are in points, the hundredths of a share of right answers."
    if Set(orders).count == 1 { return "Tasks in order: \(orders[0]). \(unit)" }
    return zip(report.methods, orders).map { "Tasks of \($0.name) in order: \($1)." }.joined(separator: "\n") + "\n" + unit
  }

  private struct MetricColumn {
    let title: String
    let text: (MethodForgetting) -> String
  }

  private var metricColumns: [MetricColumn] {
    func column(_ title: String, _ metric: ContinualMetric) -> MetricColumn { MetricColumn(title: title) { Self.text($0[metric]) } }
    func isMissing(_ metric: ContinualMetric) -> Bool { report.methods.contains { $0[metric] == nil } }
    var columns = [
      column("AvgAcc", .averageAccuracy), column("incremental", .averageIncrementalAccuracy), column("gain", .gain),
      column("FM over T", .forgetting), column("FM over j<T", .priorForgetting), column("Chaudhry's F", .chaudhryForgetting),
      column("BWT", .backwardTransfer), column("FWT", .forwardTransfer),
    ]
    if isMissing(.gain) { columns.insert(column("gain over base", .gainOverBase), at: 3) }
    if isMissing(.forgetting) { columns.insert(column("FM since learned", .forgettingSinceLearned), at: isMissing(.gain) ? 6 : 5) }
    columns.append(
      MetricColumn(title: "forgotten") { method in
        "\(method.runs.reduce(0) { $0 + $1.forgottenTasks }) of \(method.tasks.count * method.runs.count)"
      })
    if report.hasJoint { columns.append(MetricColumn(title: "gap to joint") { Self.text($0.upperBoundGap) }) }
    if report.methods.contains(where: { !$0.runs.allSatisfy(\.general.isEmpty) }) {
      let bounds = report.settings.bounds
      columns += [
        MetricColumn(title: "general mean") { Self.signed($0.summary { $0.retention?.meanPoints }, scale: 1) },
        MetricColumn(title: "worst") { method in
          method.meanRetention(bounds).map { "\(FixedDigits.signed($0.worst.points, 1)) (\($0.worst.suite))" } ?? Self.missing
        },
        MetricColumn(title: "severity") { Self.severity($0, bounds) },
      ]
    }
    return columns
  }

  private var methodTable: MarkdownTable {
    let columns = metricColumns
    var table = MarkdownTable([.init("method", .left), .init("seeds")] + columns.map { .init($0.title) } + [.init("learned", .left)])
    for method in report.methods {
      table.add([method.name, String(method.runs.count)] + columns.map { $0.text(method) } + [Self.learned(method)])
    }
    return table
  }

  /// With a word where noise explains every drop of a suite in points.
  private static func severity(_ method: MethodForgetting, _ bounds: SeverityBounds) -> String {
    guard let severity = method.meanRetention(bounds)?.severity else { return missing }
    let isForgotten = method.runs.contains { run in run.general.contains { $0.isShare && $0.verdict == .forgetting } }
    return severity.rawValue + (isForgotten || severity == .none ? "" : ", within noise")
  }

  private static func learned(_ method: MethodForgetting) -> String {
    guard let hasLearned = method.hasLearned else { return "not known" }
    return (hasLearned ? "yes" : "did not learn") + (method.isReference ? " (reference)" : "")
  }

  private var methodNotes: String {
    var notes = [
      """
      FM is the mean over tasks of the score at the end less the best score ever, base included: over all T tasks, and over those (j<T) that
      something came after; nearer 0 is better. Chaudhry's F is over the latter too, leaves base and end out of the best, and is positive.
      Gain is what each step added on its own task. Forgotten counts drops beyond noise. A method with under half of the gain of
      \(report.methods.first { $0.isReference }?.name ?? "") did not learn: its FM supports no claim.
      """
    ]
    if hasSeeds { notes.append("± is the standard deviation over seeds.") }
    if report.gainMetric == .gainOverBase {
      notes.append("Learning is told by the gain over the base, for the gain is not known of every method.")
    }
    for method in report.methods {
      let gaps = ContinualMetric.allCases.compactMap { metric in method.gap(metric).map { (metric.rawValue, $0) } }
      var reasons: [(names: [String], reason: String)] = []
      for (name, reason) in gaps {
        if let known = reasons.firstIndex(where: { $0.reason == reason }) {
          reasons[known].names.append(name)
        } else {
          reasons.append(([name], reason))
        }
      }
      for (names, reason) in reasons { notes.append("\(method.name) has no \(names.joined(separator: ", ")): \(reason).") }
    }
    return notes.joined(separator: "\n") + "\n"
  }

  // MARK: - Comparisons

  private var comparisons: String {
    var table = MarkdownTable([
      .init("method", .left), .init("against", .left), .init("FM"), .init("claim", .left), .init("at gain"), .init("FM there"),
      .init("claim there", .left),
    ])
    for comparison in report.comparisons {
      let (seeds, equal) = (comparison.seeds, comparison.seeds.compactMap(\.equalGain))
      func pair(_ own: [Double], _ other: [Double]) -> String {
        own.isEmpty ? Self.missing : "\(Self.text(SeedSummary(own))) against \(Self.text(SeedSummary(other)))"
      }
      table.add([
        comparison.method, comparison.other, pair(seeds.map(\.forgetting), seeds.map(\.other)), comparison.claim.text(seeds: seeds.count),
        equal.isEmpty ? Self.missing : Self.text(SeedSummary(equal.map(\.gain))), pair(equal.map(\.forgetting), equal.map(\.other)),
        comparison.equalGainClaim?.text(seeds: seeds.count) ?? Self.missing,
      ])
    }
    guard !table.rows.isEmpty else { return "No two methods can be compared: their tasks differ, or scores are missing." }
    let note = """
      A claim needs \(ForgettingClaim.seedsNeeded) seeds and has to hold on each. Gain and FM build up along a sequence; at equal gain both methods are looked at where
      they have learned as much as the lesser of the two ever did, between steps in proportion.

      """
    return table.text + "\n" + note
      + (report.comparisons.contains { $0.metric == .forgettingSinceLearned }
        ? "Where scores are missing the FM compared is that since learned.\n" : "")
  }

  // MARK: - A method

  private func matrix(_ method: MethodForgetting) -> MarkdownTable {
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

  private func drops(_ method: MethodForgetting) -> MarkdownTable {
    var table = MarkdownTable(
      [.init("task", .left), .init("from the best earlier step"), .init("", .left), .init("right→wrong"), .init("wrong→right")]
        + [.init("from the base"), .init("", .left), .init("right→wrong"), .init("wrong→right")]
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

  private var dropNotes: String {
    let confidence = FixedDigits.text(report.settings.confidence * 100, 1)
    let several = hasSeeds ? "\nOf several seeds: the mean drop ± its deviation, how many seeds say what, and the sums of flips." : ""
    return """
      In brackets the paired \(confidence) % bootstrap interval over records. A drop is forgetting when 0 lies outside it and McNemar's exact test
      agrees, and within noise otherwise. The best earlier step is picked by the same scores, which makes the drop from it look larger than
      it is; so its interval and test are those of as many comparisons as there are earlier steps (Bonferroni).\(several)

      """
  }

  // MARK: - General suites

  private func generalTable(isShare: Bool) -> MarkdownTable {
    let (scale, digits) = isShare ? (100.0, 1) : (1.0, 4)
    var table = MarkdownTable(
      [.init("method", .left), .init("suite", .left)] + (isShare ? [] : [.init("metric", .left)]) + [.init("base"), .init("end")]
        + [.init("change"), .init("%"), .init("", .left)]
        + (isShare ? [.init("right→wrong"), .init("wrong→right"), .init("severity", .left)] : []))
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

  private var generalNote: String {
    let bounds = report.settings.bounds
    func digits(_ value: Double) -> String { FixedDigits.text(value, value == value.rounded() ? 0 : 1) }
    return """
      Severity is by points below the base: mild under \(digits(bounds.moderate)), moderate to \(digits(bounds.severe)), severe beyond; catastrophic when every suite is severe
      and most are within \(digits(bounds.chanceMargin)) of the best constant answer. In the mean's line it is that of the worst suite.

      """
  }

  private var measuredNote: String {
    """
    Of bits per byte lower is better. These are no points and enter no mean above. Whether a change is noise is told by the records' own
    values, each weighing the same.

    """
  }

  // MARK: - Suites

  private var suiteTable: MarkdownTable {
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

  private var suiteNote: String {
    """
    Smallest drop: what a comparison with one model, and with the best of all earlier steps, finds in 80 % of cases when
    \(FixedDigits.text(changedShare * 100, 0)) % of the answers change.

    """
  }

  // MARK: - Seeds

  private var seeds: String {
    report.methods.flatMap { method in
      method.runs.map { run in "\(method.name)\(run.seed.map { ", \($0.axis) \($0.name)" } ?? ""):\n\n\(matrix(run, method.tasks).text)" }
    }.joined(separator: "\n") + "\n± is the standard error over records."
  }

  // MARK: - Numbers

  private static let missing = "–"

  private static func text(_ summary: SeedSummary?, scale: Double = 100, digits: Int = 1) -> String {
    guard let summary else { return missing }
    return FixedDigits.text(summary.mean * scale, digits) + deviation(summary, scale, digits)
  }

  private static func signed(_ summary: SeedSummary?, scale: Double = 100, digits: Int = 1) -> String {
    guard let summary else { return missing }
    return FixedDigits.signed(summary.mean * scale, digits) + deviation(summary, scale, digits)
  }

  private static func deviation(_ summary: SeedSummary, _ scale: Double, _ digits: Int) -> String {
    summary.standardDeviation.map { " ± " + FixedDigits.text($0 * scale, digits) } ?? ""
  }
}
