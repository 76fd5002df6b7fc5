import Datasets
import JSONValues

/// Holds models against bounds: scores beside their base's, reports on forgetting, and numbers of any other report. It decides nothing of what
/// follows.
package struct Gate: Sendable {
  private let models: [ScoredModels.Model]
  private let base: [SuiteScores]
  private let reports: [GateReport]
  private let settings: ForgettingSettings

  /// - Parameters:
  ///   - base: scores of the base on the same suites; of several the one whose axis values the model has as well.
  ///   - settings: of the intervals.
  package init(scores: [SuiteScores], base: [SuiteScores], reports: [GateReport], settings: ForgettingSettings) throws(DatasetError) {
    models = try ScoredModels(scores).models
    self.base = base
    self.reports = reports
    self.settings = settings
  }

  /// - Throws: where a bound speaks of something that is not there: a gate that does not look lets everything pass.
  package func checks(_ bounds: [GateBound]) throws(DatasetError) -> [GateCheck] {
    var checks: [GateCheck] = []
    for (index, bound) in bounds.enumerated() {
      do throws(DatasetError) { checks += try self.checks(bound) } catch { throw error.located(file: "parameter bounds[\(index)]") }
    }
    return checks
  }

  private func checks(_ bound: GateBound) throws(DatasetError) -> [GateCheck] {
    if bound.isOfSuites, !models.isEmpty {
      return try each(bound) { model throws(DatasetError) in try suites(bound, model) }
    }
    if models.contains(where: { $0.score(bound.metric) != nil }) {
      return try each(bound) { model throws(DatasetError) in try suite(bound, model) }
    }
    var checks: [GateCheck] = []
    for report in reports { checks += try report.checks(bound) ?? [] }
    guard checks.isEmpty else { return checks }
    let known = knownNames
    throw DatasetError(
      "nothing that the gate is given has '\(bound.metric)'\(bound.method.map { " of '\($0)'" } ?? "")"
        + (known.isEmpty ? "" : "; there is \(known.joined(separator: ", "))"))
  }

  private var knownNames: [String] {
    var names: [String] = models.isEmpty ? [] : [GateBound.mean, GateBound.worst]
    for name in models.flatMap({ $0.scores.map(\.suite) }) + reports.flatMap(\.names) where !names.contains(name) { names.append(name) }
    return names
  }

  private func each(
    _ bound: GateBound, _ body: (ScoredModels.Model) throws(DatasetError) -> [GateCheck]
  ) throws(DatasetError) -> [GateCheck] {
    let chosen = models.filter { model in bound.method.map(model.isCalled) ?? true }
    guard !chosen.isEmpty else {
      throw DatasetError("no model is called '\(bound.method ?? "")'; there is \(models.map(\.name).joined(separator: "; "))")
    }
    var checks: [GateCheck] = []
    for model in chosen { checks += try body(model) }
    return checks
  }

  // MARK: - Scores

  private func suite(_ bound: GateBound, _ model: ScoredModels.Model) throws(DatasetError) -> [GateCheck] {
    guard let score = model.score(bound.metric) else { throw DatasetError("model '\(model.name)' has no score of '\(bound.metric)'") }
    var checks: [GateCheck] = []
    for limit in bound.limits {
      if case .maxDrop = limit {
        let change = ScoreChange(score, from: try base.base(of: score), settings)
        checks.append(check(bound, limit, model, change, suite: nil))
      } else {
        checks.append(GateCheck(bound, limit, subject: model.name, value: score.value * score.scale))
      }
    }
    return checks
  }

  private func check(
    _ bound: GateBound, _ limit: GateBound.Limit, _ model: ScoredModels.Model, _ change: ScoreChange, suite: String?
  ) -> GateCheck {
    GateCheck(
      bound, limit, subject: model.name, suite: suite, value: change.value, low: change.low, high: change.high,
      isOutsideNoise: change.isOutsideNoise)
  }

  private func suites(_ bound: GateBound, _ model: ScoredModels.Model) throws(DatasetError) -> [GateCheck] {
    var chosen = model.scores
    if !bound.suites.isEmpty {
      chosen = []
      for name in bound.suites {
        guard let score = model.score(name) else { throw DatasetError("model '\(model.name)' has no score of '\(name)'") }
        chosen.append(score)
      }
    }
    let first = chosen[0]
    if let other = chosen.first(where: { $0.scale != first.scale || $0.isHigherBetter != first.isHigherBetter }) {
      throw DatasetError(
        "'\(first.suite)' is scored by \(first.metric), '\(other.suite)' by \(other.metric): they have nothing in common; name the suites")
    }
    var checks: [GateCheck] = []
    for limit in bound.limits {
      switch limit {
      case .maxDrop: checks.append(try drop(bound, limit, model, chosen))
      case .min, .max:
        guard !bound.isWorst else { throw DatasetError("'worst' takes max_drop") }
        checks.append(GateCheck(bound, limit, subject: model.name, value: chosen.map(\.value).mean * first.scale))
      }
    }
    return checks
  }

  private func drop(
    _ bound: GateBound, _ limit: GateBound.Limit, _ model: ScoredModels.Model, _ chosen: [SuiteScores]
  ) throws(DatasetError) -> GateCheck {
    var changes: [ScoreChange] = []
    for score in chosen {
      changes.append(ScoreChange(score, from: try base.base(of: score), settings, comparisons: bound.isWorst ? chosen.count : 1))
    }
    if bound.isWorst {
      let worst = changes.dropFirst().reduce(changes[0]) { $1.value < $0.value ? $1 : $0 }
      return check(bound, limit, model, worst, suite: worst.suite)
    }
    // One suite alone is told from noise as everywhere else, by McNemar's test too.
    if changes.count == 1 { return check(bound, limit, model, changes[0], suite: nil) }
    var parts: [MeanChange.Part] = []
    for score in chosen {
      let own = try base.base(of: score)
      let sign: Double = own.isHigherBetter ? 1 : -1
      parts.append(
        .init(
          before: own.perRecord.map { $0 * sign }, after: score.perRecord.map { $0 * sign }, difference: (score.value - own.value) * sign))
    }
    let mean = MeanChange(
      parts, scale: chosen[0].scale, confidence: settings.confidence, samples: settings.samples, seed: settings.seed)
    return GateCheck(
      bound, limit, subject: model.name, value: mean.difference, low: mean.low, high: mean.high, isOutsideNoise: mean.isOutsideNoise)
  }
}
