import Datasets

/// How to tell a drop from noise, and what to call it.
package struct ForgettingSettings: Sendable {
  package var confidence = 0.95
  /// Resamples of the paired bootstrap, and their seed.
  package var samples = 2000
  package var seed: UInt64 = 0
  package var bounds = SeverityBounds()

  package init() {}
}

/// One run of a method, a seed, looked at: its matrix, what stands between its scores, and its general suites.
package struct RunForgetting: Sendable {
  /// How the score on one task at the end stands to earlier ones; nil where a score is missing.
  package struct Task: Sendable {
    package let fromBase: PairedComparison?
    /// Against the best of the earlier steps, the base among them.
    package let fromBest: BestStep?
    /// Against the step that learned the task; nil for the last task.
    package let fromLearned: PairedComparison?
  }

  package struct BestStep: Sendable {
    /// 0 is the base; of equals the first.
    package let step: Int
    /// Counted as one of as many comparisons as earlier steps were evaluated.
    package let change: PairedComparison
    /// Whether every earlier step was evaluated on the task.
    package let isComplete: Bool
  }

  /// A general suite: the base's score, the score after each step, and the change at the end.
  package struct General: Sendable {
    package let scores: ForgettingScores.General
    /// Nil where the suite was not evaluated after the last step.
    package let change: PairedComparison?

    package var suite: String { scores.base.suite }
    package var last: SuiteScores? { scores.after.last ?? nil }
    /// Points are for shares; anything else, bits per byte above all, stays in its own unit.
    package var isShare: Bool { scores.base.isShare }

    package var delta: GeneralDelta? {
      last.map { GeneralDelta(suite: suite, base: scores.base.value, score: $0.value, chance: scores.base.bestConstant ?? 0) }
    }

    /// In the metric's own unit.
    package var difference: Double? { last.map { $0.value - scores.base.value } }

    /// Of bits per byte the suite's change and that of its texts have to agree in sign, for the texts weigh differently in them.
    package var verdict: PairedComparison.Verdict? {
      guard let change, let difference else { return nil }
      guard difference != 0 else { return .same }
      guard change.isOutsideNoise, (difference < 0) == (change.difference < 0) else { return .withinNoise }
      return (difference < 0) == scores.base.isHigherBetter ? .forgetting : .gain
    }
  }

  package let seed: SuiteScores.Label?
  package let scores: ForgettingScores.Run
  package let matrix: ScoreMatrix
  package let tasks: [Task]
  package let general: [General]
  /// The suites in points together; nil where there are none, or one has no score at the end.
  package let retention: GeneralRetention?
  /// The mean of their changes.
  package let generalChange: MeanChange?

  package init(_ run: ForgettingScores.Run, _ settings: ForgettingSettings) {
    seed = run.seed
    scores = run
    matrix = ScoreMatrix(run.cells.map { row in row.map { $0?.value } })
    tasks = (0..<run.joint.count).map { Self.task($0, run.cells, settings) }
    general = run.general.map { suite in
      let last = suite.after.last ?? nil
      return General(scores: suite, change: last.map { Self.compare(suite.base, $0, settings) })
    }
    let shares = general.filter(\.isShare)
    let deltas = shares.compactMap(\.delta)
    let isComplete = !shares.isEmpty && deltas.count == shares.count
    retention = isComplete ? GeneralRetention(deltas, bounds: settings.bounds) : nil
    generalChange =
      isComplete
      ? MeanChange(
        shares.compactMap { suite in
          suite.last.map { .init(before: suite.scores.base.perRecord, after: $0.perRecord, difference: $0.value - suite.scores.base.value) }
        }, scale: 100, confidence: settings.confidence, samples: settings.samples, seed: settings.seed) : nil
  }

  private static func task(_ task: Int, _ cells: [[SuiteScores?]], _ settings: ForgettingSettings) -> Task {
    let column = cells.map { $0[task] }
    guard let end = column.last ?? nil else { return Task(fromBase: nil, fromBest: nil, fromLearned: nil) }
    let earlier = column.dropLast().enumerated().compactMap { step, score in score.map { (step: step, score: $0) } }
    let best = earlier.reduce(nil as (step: Int, score: SuiteScores)?) { best, next in
      if let best, best.score.value >= next.score.value { best } else { next }
    }
    let learned = task + 1 < cells.count - 1 ? column[task + 1] : nil
    return Task(
      fromBase: column[0].map { compare($0, end, settings) },
      fromBest: best.map {
        BestStep(
          step: $0.step, change: compare($0.score, end, settings, comparisons: earlier.count), isComplete: earlier.count == cells.count - 1)
      },
      fromLearned: learned.map { compare($0, end, settings) })
  }

  private static func compare(
    _ before: SuiteScores, _ after: SuiteScores, _ settings: ForgettingSettings, comparisons: Int = 1
  ) -> PairedComparison {
    PairedComparison(
      before: before.perRecord, after: after.perRecord, samples: settings.samples, seed: settings.seed, confidence: settings.confidence,
      comparisons: comparisons)
  }

  // MARK: - Metrics

  package subscript(metric: ContinualMetric) -> Double? { matrix[metric] }

  package var joint: [Double?] { scores.joint.map { $0?.value } }
  package var intransigence: [Double?] { matrix.intransigence(joint: joint) }
  package var upperBoundGap: Double? { matrix.upperBoundGap(joint: joint) }

  /// Drops from the best earlier step that noise does not explain.
  package var forgottenTasks: Int { tasks.count { $0.fromBest?.change.verdict == .forgetting } }
}
