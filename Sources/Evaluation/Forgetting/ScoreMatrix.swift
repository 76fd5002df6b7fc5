/// R[i][j], the score on task j after step i of a sequence; row 0 is the base model. Higher is better. The metrics of continual learning
/// are functions of it. A cell may be missing, for not everything is evaluated after every step; a metric that needs it then has no value.
package struct ScoreMatrix: Sendable, Equatable {
  /// T + 1 rows of T scores.
  package let rows: [[Double?]]

  package init(_ rows: [[Double?]]) {
    precondition(rows.count > 1 && rows.allSatisfy { $0.count == rows.count - 1 }, "\(rows.count) rows of \(rows.map(\.count)) scores")
    self.rows = rows
  }

  /// T
  package var taskCount: Int { rows.count - 1 }
  package var tasks: Range<Int> { 0..<taskCount }

  /// The score on a task, from 0, after a step; step 0 is the base.
  package func score(_ step: Int, _ task: Int) throws -> Double {
    guard let score = rows[step][task] else { throw MetricGap.missing(step: step, task: task) }
    return score
  }

  /// The best of a column over these steps.
  package func best(_ task: Int, over steps: some Sequence<Int>) throws -> Double {
    try steps.map { try score($0, task) }.max() ?? 0
  }

  /// Nil where the metric has no value for this matrix.
  package subscript(metric: ContinualMetric) -> Double? { try? value(metric) }

  /// - Throws: `MetricGap`, the first reason why there is no value.
  package func value(_ metric: ContinualMetric) throws -> Double {
    let last = taskCount
    if metric.needsTwoTasks, last < 2 { throw MetricGap.oneTask }
    let prior = tasks.dropLast()
    switch metric {
    case .averageAccuracy: return try tasks.map { try score(last, $0) }.mean
    case .averageIncrementalAccuracy:
      return try tasks.map { step in try (0...step).map { try score(step + 1, $0) }.mean }.mean
    case .forgetting: return try tasks.map { try drop($0) }.mean
    case .priorForgetting: return try prior.map { try drop($0) }.mean
    case .forgettingSinceLearned:
      return try tasks.map { task in try score(last, task) - best(task, over: [0] + Array(task + 1...last)) }.mean
    case .chaudhryForgetting: return try prior.map { try best($0, over: 1..<last) - score(last, $0) }.mean
    case .backwardTransfer: return try prior.map { try score(last, $0) - score($0 + 1, $0) }.mean
    case .forwardTransfer: return try tasks.dropFirst().map { try score($0, $0) - score(0, $0) }.mean
    case .gain: return try tasks.map { try score($0 + 1, $0) - score($0, $0) }.mean
    case .gainOverBase: return try tasks.map { try score($0 + 1, $0) - score(0, $0) }.mean
    }
  }

  /// R[T][j] − max_{t ≤ T} R[t][j], the base among the t; 0 where nothing was ever better than the end.
  private func drop(_ task: Int) throws -> Double { try score(taskCount, task) - best(task, over: 0...taskCount) }

  // MARK: - Beside a joint run

  /// I_k = a*_k − R[k][k], a* from the joint run; nil where a score is missing.
  package func intransigence(joint: [Double?]) -> [Double?] {
    tasks.map { task in
      guard let bound = joint[task], let learned = rows[task + 1][task] else { return nil }
      return bound - learned
    }
  }

  /// ACC of the joint run − ACC.
  package func upperBoundGap(joint: [Double?]) -> Double? {
    guard let own = self[.averageAccuracy], !joint.contains(nil) else { return nil }
    return joint.compactMap { $0 }.mean - own
  }
}

extension Collection where Element == Double {
  var mean: Double { reduce(0, +) / Double(count) }
}
