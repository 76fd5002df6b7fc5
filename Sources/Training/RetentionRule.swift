/// When a run ends for what it makes the model forget: early stopping, watched on what is to be kept.
package struct RetentionRule: Sendable, Equatable {
  /// Optimizer steps between evaluations (`eval_steps`); the start and the end are evaluated too.
  package var every: Int
  /// So many evaluations in a row below the bound end the run (`early_stopping_patience`).
  package var patience: Int
  /// How far below the best a score may lie, in the score's own unit (`early_stopping_threshold`).
  package var threshold: Double

  package init(every: Int, patience: Int, threshold: Double) {
    precondition(every > 0 && patience > 0 && threshold >= 0, "evaluations every \(every) steps, patience \(patience)")
    self.every = every
    self.patience = patience
    self.threshold = threshold
  }
}

/// What one evaluation inside training found. Higher is better in both.
package struct RetentionPoint: Sendable, Equatable {
  /// What training is for; nil where no target suite is watched.
  package var target: Double?
  /// What must not be lost; nil where no retention suite is watched.
  package var retention: Double?
  /// The score of each suite, as it is.
  package var scores: [(suite: String, score: Double)]

  package init(target: Double?, retention: Double?, scores: [(suite: String, score: Double)] = []) {
    self.target = target
    self.retention = retention
    self.scores = scores
  }

  /// The retention; where none is watched, the target itself: ordinary early stopping.
  var guarded: Double { retention ?? target ?? 0 }

  package static func == (left: Self, right: Self) -> Bool {
    left.target == right.target && left.retention == right.retention
      && left.scores.elementsEqual(right.scores) { $0.suite.utf8.elementsEqual($1.suite.utf8) && $0.score == $1.score }
  }
}

/// The evaluations of a run so far, and what the rule makes of them. A value: it knows neither models nor weights.
///
/// An evaluation is admissible when its retention is no further than the threshold below the best retention seen. The best is the
/// admissible one with the highest target; without a target, the latest. So the run may go on for a better target while retention holds, and
/// ends when retention has been too low `patience` times in a row, however much the target still gains.
package struct RetentionCurve: Sendable, Equatable {
  package struct Entry: Sendable, Equatable {
    /// Optimizer steps done.
    package let step: Int
    package let point: RetentionPoint
  }

  package let rule: RetentionRule
  package private(set) var entries: [Entry] = []
  /// The step of the best evaluation; nil before the first.
  package private(set) var bestStep: Int?
  private var misses = 0

  package init(rule: RetentionRule) { self.rule = rule }

  /// Whether the run should end here.
  package var isOver: Bool { misses >= rule.patience }

  package func isDue(step: Int, of total: Int) -> Bool {
    (step % rule.every == 0 || step == total) && entries.last?.step != step
  }

  /// True when it is the best so far.
  package mutating func add(_ point: RetentionPoint, step: Int) -> Bool {
    entries.append(Entry(step: step, point: point))
    let bound = (entries.map(\.point.guarded).max() ?? 0) - rule.threshold
    guard point.guarded >= bound else {
      misses += 1
      return false
    }
    misses = 0
    if let best = entries.first(where: { $0.step == bestStep })?.point, best.guarded >= bound, let gained = point.target,
      let target = best.target, gained <= target
    {
      return false
    }
    bestStep = step
    return true
  }
}
