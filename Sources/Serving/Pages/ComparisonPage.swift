import Reporting

/// Runs beside each other.
struct ComparisonPage {
  let comparison: RunsComparison

  init(_ comparison: RunsComparison) { self.comparison = comparison }

  var written: WrittenPage {
    var page = ServedPage(title: "\(comparison.runs.count) runs compared")
    let query = comparison.runs.map { "run=\($0.id)" }.joined(separator: "&")
    page.addWays([("JSON", "/compare.json?" + query)])
    page.shell.facts = [("page", "compare")]
    page.shell.add(comparison.sections)
    return page.written
  }
}
