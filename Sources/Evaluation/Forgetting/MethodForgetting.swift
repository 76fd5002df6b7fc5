/// A method over its seeds: what each run says, and their means.
package struct MethodForgetting: Sendable {
  package let name: String
  package let labels: [SuiteScores.Label]
  package let tasks: [String]
  package let runs: [RunForgetting]
  /// Under half of the reference's gain, or none: then its FM supports no claim. Nil where the gain is not known.
  package internal(set) var hasLearned: Bool?
  package internal(set) var isReference = false

  package init(_ method: ForgettingScores.Method, _ settings: ForgettingSettings) {
    name = method.name
    labels = method.labels
    tasks = method.tasks
    runs = method.runs.map { RunForgetting($0, settings) }
  }

  // MARK: - Over the seeds

  /// Mean and deviation over the seeds of something every run has; nil where one has not.
  package func summary(_ value: (RunForgetting) -> Double?) -> SeedSummary? {
    let values = runs.compactMap(value)
    return values.count == runs.count ? SeedSummary(values) : nil
  }

  package subscript(metric: ContinualMetric) -> SeedSummary? { summary { $0[metric] } }

  /// Why a metric has no value, by the first run without one.
  package func gap(_ metric: ContinualMetric) -> String? {
    for run in runs {
      do { _ = try run.matrix.value(metric) } catch { return (error as? MetricGap)?.text(tasks) }
    }
    return nil
  }

  package func cell(_ step: Int, _ task: Int) -> SeedSummary? { summary { $0.matrix.rows[step][task] } }

  package func intransigence(_ task: Int) -> SeedSummary? { summary { $0.intransigence[task] } }

  package var upperBoundGap: SeedSummary? { summary(\.upperBoundGap) }

  /// General suites by name, in the order in which the runs name them; of each the runs that have it.
  package var generalSuites: [(suite: String, runs: [RunForgetting.General])] {
    var suites: [(suite: String, runs: [RunForgetting.General])] = []
    for general in runs.flatMap(\.general) {
      if let known = suites.firstIndex(where: { $0.suite.utf8.elementsEqual(general.suite.utf8) }) {
        suites[known].runs.append(general)
      } else {
        suites.append((general.suite, [general]))
      }
    }
    return suites
  }

  /// Mean over the seeds of each general suite in points; nil where a run has no score of one at the end.
  package func meanRetention(_ bounds: SeverityBounds) -> GeneralRetention? {
    let shares = generalSuites.filter { $0.runs[0].isShare }
    let deltas = shares.compactMap { suite -> GeneralDelta? in
      let all = suite.runs.compactMap(\.delta)
      guard all.count == runs.count else { return nil }
      return GeneralDelta(
        suite: suite.suite, base: all.map(\.base).mean, score: all.map(\.score).mean, chance: all.map(\.chance).mean)
    }
    return shares.isEmpty || deltas.count < shares.count ? nil : GeneralRetention(deltas, bounds: bounds)
  }
}
