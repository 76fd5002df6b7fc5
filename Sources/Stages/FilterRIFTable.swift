import Reinforcement
import Plotting

/// A filter's report for people: what was kept and why, before and after.
struct FilterRIFTable {
  private let report: FilterReport

  init(_ report: FilterReport) { self.report = report }

  var text: String {
    let count = report.instances.count
    let drawn = report.isDrawn ? ", drawn at random from all: as many as the criterion would keep" : ""
    return """
      ## Instances kept by \(report.filter.criterion.rawValue) on \(report.component)

      \(report.keptCount) of \(count) records kept (\(Self.percent(report.keptCount, of: count)))\(drawn).

      \(overview.text)
      \(reasons.text)
      \(passRates.text)
      """
  }

  private var overview: MarkdownTable {
    var table = MarkdownTable([
      .init("", .left), .init("records"), .init("completions"), .init("mean pass rate"), .init("mean reward"), .init("reward variance"),
      .init("within records"), .init("equal rewards"),
    ])
    for (name, instances) in [("before", report.instances), ("after", report.kept)] {
      let summary = report.summary(instances)
      let values = [summary.passRate, summary.rewardMean, summary.rewardVariance, summary.varianceWithin, summary.equalShare]
      table.add([name, "\(summary.records)", "\(summary.completions)"] + values.map { $0.map { Self.rounded($0) } ?? "" })
    }
    return table
  }

  private var reasons: MarkdownTable {
    var table = MarkdownTable([.init("criterion says", .left), .init("records"), .init("share")])
    for (reason, count) in report.reasons {
      let words = (reason.keeps ? "keep: " : "drop: ") + reason.rawValue
      table.add([words, "\(count)", Self.percent(count, of: report.instances.count)])
    }
    return table
  }

  private var passRates: MarkdownTable {
    var table = MarkdownTable([.init("pass rate"), .init("records before"), .init("after")])
    let after = report.passRates(report.kept)
    for (rate, count) in report.passRates(report.instances) {
      table.add([Self.rounded(rate), "\(count)", "\(after.first { $0.rate == rate }?.records ?? 0)"])
    }
    return table
  }

  // MARK: - Numbers

  /// Three digits behind the point.
  private static func rounded(_ value: Double) -> String {
    let thousandths = Int((value.magnitude * 1000).rounded())
    let digits = String(thousandths % 1000)
    let fraction = String(repeating: "0", count: 3 - digits.count) + digits
    return (value < 0 && thousandths > 0 ? "-" : "") + "\(thousandths / 1000).\(fraction)"
  }

  private static func percent(_ count: Int, of all: Int) -> String {
    let tenths = Int((Double(count) / Double(max(all, 1)) * 1000).rounded())
    return "\(tenths / 10).\(tenths % 10) %"
  }
}
