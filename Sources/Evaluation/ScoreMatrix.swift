/// R[i][j], the score on task j after step i of a sequence; row 0 is the base model. Higher is better. The metrics of continual learning
/// are functions of it.
package struct ScoreMatrix: Sendable, Equatable {
  /// T + 1 rows of T scores.
  package let rows: [[Double]]

  package init(_ rows: [[Double]]) {
    precondition(rows.count > 1 && rows.allSatisfy { $0.count == rows.count - 1 }, "\(rows.count) rows of \(rows.map(\.count)) scores")
    self.rows = rows
  }

  /// T
  package var taskCount: Int { rows.count - 1 }
  private var last: [Double] { rows[taskCount] }
  private var tasks: Range<Int> { 0..<taskCount }

  /// R[i][i] with tasks counted from 0: the score on a task right after its own step.
  private func learned(_ task: Int) -> Double { rows[task + 1][task] }

  /// (1/T) Σⱼ R[T][j]
  package var averageAccuracy: Double { last.mean }

  /// meanₜ (1/t) Σ_{j ≤ t} R[t][j]
  package var averageIncrementalAccuracy: Double { tasks.map { rows[$0 + 1].prefix($0 + 1).mean }.mean }

  /// FM over T: meanⱼ (R[T][j] − max_{t ≤ T} R[t][j]), the base among the t; 0 where nothing was ever better than the end.
  package var forgetting: Double { tasks.map(drop).mean }

  /// The same over j < T, the tasks that something came after; nil for one task.
  package var priorForgetting: Double? { taskCount > 1 ? tasks.dropLast().map(drop).mean : nil }

  private func drop(_ task: Int) -> Double { last[task] - (rows.map { $0[task] }.max() ?? 0) }

  /// Chaudhry's F: (1/(T−1)) Σ_{j<T} (max_{1 ≤ l < T} R[l][j] − R[T][j]); positive is forgetting; nil for one task.
  package var chaudhryForgetting: Double? {
    guard taskCount > 1 else { return nil }
    return tasks.dropLast().map { task in (rows[1..<taskCount].map { $0[task] }.max() ?? 0) - last[task] }.mean
  }

  /// BWT: (1/(T−1)) Σ_{i<T} (R[T][i] − R[i][i]); nil for one task.
  package var backwardTransfer: Double? {
    taskCount > 1 ? tasks.dropLast().map { last[$0] - learned($0) }.mean : nil
  }

  /// FWT: (1/(T−1)) Σ_{i ≥ 2} (R[i−1][i] − R[0][i]); nil for one task.
  package var forwardTransfer: Double? {
    taskCount > 1 ? tasks.dropFirst().map { rows[$0][$0] - rows[0][$0] }.mean : nil
  }

  /// meanⱼ (R[j][j] − R[j−1][j]): what each step gained on its own task.
  package var gain: Double { tasks.map { learned($0) - rows[$0][$0] }.mean }

  /// I_k = a*_k − R[k][k], a* from the joint run.
  package func intransigence(joint: [Double]) -> [Double] { tasks.map { joint[$0] - learned($0) } }

  /// ACC of the joint run − ACC.
  package func upperBoundGap(joint: [Double]) -> Double { joint.mean - averageAccuracy }
}

extension Collection where Element == Double {
  var mean: Double { reduce(0, +) / Double(count) }
}
