import Datasets

/// Puts the scores of one axis together: by point, seed and suite, with what the base came to.
struct ParetoAxes {
  struct Entry {
    /// Without suite and seed.
    let labels: [SuiteScores.Label]
    /// In the order of the list; nil where scores have no seed axis.
    let seeds: [SuiteScores.Label?]
    let coordinate: ParetoReport.Coordinate
  }

  struct Column {
    let suites: [String]
    let points: [Entry]
    /// The mean over the points' seeds; nil where no base is given.
    let base: Double?
  }

  let seedAxis: String
  let base: [SuiteScores]
  let settings: ForgettingSettings

  func read(_ scores: [SuiteScores], _ input: String) throws(DatasetError) -> Column {
    do throws(DatasetError) { return try column(scores) } catch { throw error.located(file: "input \(input)") }
  }

  private func column(_ scores: [SuiteScores]) throws(DatasetError) -> Column {
    let models = try ScoredModels(scores).models
    guard let first = models.first else { throw DatasetError("there is no score") }
    let suites = first.scores.map(\.suite)
    var names: [[SuiteScores.Label]] = []
    for model in models {
      try check(model, first, suites)
      let labels = labels(of: model)
      if !names.contains(labels) { names.append(labels) }
    }
    var points: [Entry] = []
    var means: [Double] = []
    for name in names {
      let runs = models.filter { labels(of: $0) == name }
      let seeds = runs.map { run in run.labels.first { $0.axis.utf8.elementsEqual(seedAxis.utf8) } }
      let parts = try runs.map { run throws(DatasetError) in try part(run, suites) }
      means += parts.compactMap(\.base)
      points.append(Entry(labels: name, seeds: seeds, coordinate: Self.coordinate(parts)))
    }
    return Column(suites: suites, points: points, base: base.isEmpty ? nil : means.mean)
  }

  private func labels(of model: ScoredModels.Model) -> [SuiteScores.Label] {
    model.labels.filter { !$0.axis.utf8.elementsEqual(seedAxis.utf8) }
  }

  /// Means of other suites, of other records or of other units cannot stand on one axis.
  private func check(_ model: ScoredModels.Model, _ first: ScoredModels.Model, _ suites: [String]) throws(DatasetError) {
    for suite in suites where model.score(suite) == nil {
      throw DatasetError("'\(model.name)' has no score of suite '\(suite)', which '\(first.name)' has")
    }
    for score in model.scores {
      guard let own = first.score(score.suite) else {
        throw DatasetError("'\(first.name)' has no score of suite '\(score.suite)', which '\(model.name)' has")
      }
      guard score.isShare, score.isHigherBetter else {
        throw DatasetError("suite '\(score.suite)' is scored by \(score.metric), which is no share of right answers")
      }
      let isOfOneSeed = model.labels.first { $0.axis == seedAxis } == first.labels.first { $0.axis == seedAxis }
      guard !isOfOneSeed || score.records == own.records else {
        throw DatasetError("suite '\(score.suite)' of '\(model.name)' has other records than that of '\(first.name)'")
      }
    }
  }

  /// One seed of a point.
  private struct Part {
    let value: Double
    let standardError: Double?
    let base: Double?
    let change: MeanChange?
  }

  private func part(_ run: ScoredModels.Model, _ suites: [String]) throws(DatasetError) -> Part {
    let scores = suites.compactMap(run.score)
    let errors = scores.compactMap(\.standardError)
    let count = Double(scores.count)
    let error = errors.count == scores.count ? errors.reduce(0) { $0 + $1 * $1 }.squareRoot() / count * 100 : nil
    let value = scores.map(\.value).mean * 100
    guard !base.isEmpty else { return Part(value: value, standardError: error, base: nil, change: nil) }
    let own = try scores.map { score throws(DatasetError) in try base.base(of: score) }
    let parts = zip(scores, own).map { score, base in
      MeanChange.Part(before: base.perRecord, after: score.perRecord, difference: score.value - base.value)
    }
    let change = MeanChange(
      parts, scale: 100, confidence: settings.confidence, samples: settings.samples, seed: settings.seed)
    return Part(value: value, standardError: error, base: own.map(\.value).mean * 100, change: change)
  }

  private static func coordinate(_ parts: [Part]) -> ParetoReport.Coordinate {
    let summary = SeedSummary(parts.map(\.value))
    let changes = parts.compactMap(\.change)
    let only = parts.count == 1 ? changes.first : nil
    return ParetoReport.Coordinate(
      value: summary.mean, error: parts.count == 1 ? parts[0].standardError : summary.standardDeviation,
      change: changes.isEmpty ? nil : changes.map(\.difference).mean, low: only?.low, high: only?.high)
  }
}
