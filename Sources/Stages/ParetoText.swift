import Evaluation
import Plotting

/// Domain against general scores for people: a numbered line a point, the front in order, and below it what the words mean.
struct ParetoText {
  let report: ParetoReport
  let title: String
  let confidence: Double

  init(_ report: ParetoReport, title: String, confidence: Double) {
    (self.report, self.title, self.confidence) = (report, title, confidence)
  }

  var text: String {
    let suites = [("Domain", report.domainSuites), ("General", report.generalSuites)].map { axis, names in
      "\(axis): \(names.count == 1 ? names[0] : "the mean of " + names.joined(separator: ", "))."
    }
    return "## \(title)\n\n\(suites.joined(separator: " "))\n\n\(table.text)\n\(front)\n\n\(notes)\n"
  }

  private var hasBase: Bool { report.base != nil }
  private var hasSeeds: Bool { report.points.contains { $0.seeds > 1 } }

  private var table: MarkdownTable {
    var columns: [MarkdownTable.Column] = [.init("#"), .init("point", .left)]
    if hasSeeds { columns.append(.init("seeds")) }
    columns += [.init("domain"), .init("general")]
    if hasBase { columns += [.init("gain"), .init("general change"), .init("learned", .left)] }
    var table = MarkdownTable(columns + [.init("front", .left), .init("dominated by", .left)])
    if let base = report.base {
      table.add(["", "base"] + (hasSeeds ? [""] : []) + [base.domain, base.general].map { FixedDigits.text($0, 1) })
    }
    for (index, point) in report.points.enumerated() {
      var cells = [String(index + 1), point.name]
      if hasSeeds { cells.append(String(point.seeds)) }
      cells += [Self.text(point.domain), Self.text(point.general)]
      if hasBase {
        cells += [Self.change(point.domain), Self.change(point.general), point.hasLearned == false ? "did not learn" : "yes"]
        if index == report.reference { cells[cells.count - 1] += " (reference)" }
      }
      let isOnFront = report.front.front.contains(index)
      cells.append(index == report.knee ? "knee" : isOnFront ? "front" : "")
      table.add(cells + [report.front.dominators(of: index).map { "#\($0 + 1)" }.joined(separator: ", ")])
    }
    return table
  }

  private static func text(_ coordinate: ParetoReport.Coordinate) -> String {
    FixedDigits.text(coordinate.value, 1) + (coordinate.error.map { " ± " + FixedDigits.text($0, 1) } ?? "")
  }

  private static func change(_ coordinate: ParetoReport.Coordinate) -> String {
    coordinate.change.map { FixedDigits.signed($0, 1) + (coordinate.isOutsideNoise == true ? "*" : "") } ?? ""
  }

  /// From the most general score to the highest of the domain.
  private var front: String {
    "Front, from most kept to most learned: "
      + report.front.front.map { index in
        report.points[index].name + (report.points[index].hasLearned == false ? " (did not learn)" : "")
      }.joined(separator: "; ") + "."
  }

  private var notes: String {
    var notes = [
      "All in points, the hundredths of a share of right answers. A point is dominated where another is at least as good on both axes and better "
        + "on one; the front is what none dominates.",
      "The knee is the point of the front furthest beyond the straight line between its ends, both axes scaled to the ends"
        + (report.knee == nil ? "; this front has none." : "."),
    ]
    if let reference = report.reference {
      notes.append(
        "A point with under half of the gain of \(report.points[reference].name) did not learn: what it kept supports no claim, and it is no knee."
      )
    }
    if hasBase {
      notes.append("* marks a change outside its paired \(FixedDigits.text(confidence * 100, 1))% bootstrap interval (of one seed).")
    }
    notes.append(hasSeeds ? "± is the standard deviation over seeds, of one seed the standard error." : "± is the standard error.")
    return notes.joined(separator: "\n")
  }
}
