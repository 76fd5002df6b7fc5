import Evaluation
import Plotting

/// The report on forgetting for people: Markdown tables, one number a method, a task or a suite, and below each what its words mean.
struct ForgettingText {
  let report: ForgettingReport
  let title: String
  let changedShare: Double
  let hasSeeds: Bool
  /// What whoever reads the numbers should know of the trainings.
  let warnings: [String]

  init(_ report: ForgettingReport, title: String, changedShare: Double, warnings: [String] = []) {
    self.report = report
    self.warnings = warnings
    self.title = title
    self.changedShare = changedShare
    hasSeeds = report.methods.contains { $0.runs.count > 1 }
  }

  var text: String {
    var parts = ["## \(title)", orders, methodTable(forgettingColumns).text + "\n" + methodTable(otherColumns).text + "\n" + methodNotes]
    if !warnings.isEmpty { parts.append("### Warnings\n\n" + warnings.map { "- \($0)" }.joined(separator: "\n")) }
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
    var isText = false
    let text: (MethodForgetting) -> String
  }

  private static func column(_ title: String, _ metric: ContinualMetric) -> MetricColumn {
    MetricColumn(title: title) { text($0[metric]) }
  }

  private func isMissing(_ metric: ContinualMetric) -> Bool { report.methods.contains { $0[metric] == nil } }

  private var forgettingColumns: [MetricColumn] {
    var columns = [Self.column("gain", .gain)]
    if isMissing(.gain) { columns.append(Self.column("gain over base", .gainOverBase)) }
    columns += [MetricColumn(title: "learned", isText: true, text: Self.learned), Self.column("FM over T", .forgetting)]
    if isMissing(.forgetting) { columns.append(Self.column("FM since learned", .forgettingSinceLearned)) }
    columns += [Self.column("FM over j<T", .priorForgetting), Self.column("Chaudhry's F", .chaudhryForgetting)]
    columns.append(Self.column("BWT", .backwardTransfer))
    columns.append(
      MetricColumn(title: "forgotten") { method in
        "\(method.runs.reduce(0) { $0 + $1.forgottenTasks }) of \(method.tasks.count * method.runs.count)"
      })
    return columns
  }

  private var otherColumns: [MetricColumn] {
    var columns = [
      MetricColumn(title: "seeds") { String($0.runs.count) }, Self.column("AvgAcc", .averageAccuracy),
      Self.column("incremental", .averageIncrementalAccuracy), Self.column("FWT", .forwardTransfer),
    ]
    if report.hasJoint { columns.append(MetricColumn(title: "gap to joint") { Self.text($0.upperBoundGap) }) }
    guard report.methods.contains(where: { !$0.runs.allSatisfy(\.general.isEmpty) }) else { return columns }
    let bounds = report.settings.bounds
    columns.append(MetricColumn(title: "general mean") { Self.signed($0.summary { $0.retention?.meanPoints }, scale: 1) })
    columns.append(
      MetricColumn(title: "worst") { method in
        method.meanRetention(bounds).map { "\(FixedDigits.signed($0.worst.points, 1)) (\($0.worst.suite))" } ?? Self.missing
      })
    columns.append(MetricColumn(title: "severity", isText: true) { Self.severity($0, bounds) })
    return columns
  }

  private func methodTable(_ columns: [MetricColumn]) -> MarkdownTable {
    var table = MarkdownTable([.init("method", .left)] + columns.map { .init($0.title, $0.isText ? .left : .right) })
    for method in report.methods { table.add([method.name] + columns.map { $0.text(method) }) }
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
      A claim needs \(ForgettingClaim.seedsNeeded) seeds and has to hold on each. Gain and FM build up along a sequence; at equal gain
      both methods are looked at where they have learned as much as the lesser of the two ever did, between steps in proportion.

      """
    return table.text + "\n" + note
      + (report.comparisons.contains { $0.metric == .forgettingSinceLearned }
        ? "Where scores are missing the FM compared is that since learned.\n" : "")
  }

  // MARK: - Numbers

  static let missing = "–"

  static func text(_ summary: SeedSummary?, scale: Double = 100, digits: Int = 1) -> String {
    guard let summary else { return missing }
    return FixedDigits.text(summary.mean * scale, digits) + deviation(summary, scale, digits)
  }

  static func signed(_ summary: SeedSummary?, scale: Double = 100, digits: Int = 1) -> String {
    guard let summary else { return missing }
    return FixedDigits.signed(summary.mean * scale, digits) + deviation(summary, scale, digits)
  }

  static func deviation(_ summary: SeedSummary, _ scale: Double, _ digits: Int) -> String {
    summary.standardDeviation.map { " ± " + FixedDigits.text($0 * scale, digits) } ?? ""
  }
}
