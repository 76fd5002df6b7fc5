/// The metrics of a sequence of tasks, by the names that reports give them. T tasks, R[i][j] the score on task j after step i, row 0 the base.
package enum ContinualMetric: String, Sendable, CaseIterable {
  /// ACC: (1/T) Σⱼ R[T][j]
  case averageAccuracy = "avg_acc"
  /// meanₜ (1/t) Σ_{j ≤ t} R[t][j]
  case averageIncrementalAccuracy = "avg_incremental_acc"
  /// FM over T: meanⱼ (R[T][j] − max_{t ≤ T} R[t][j]), the base among the t.
  case forgetting = "fm"
  /// The same over j < T, the tasks that something came after.
  case priorForgetting = "fm_prior"
  /// FM over T with the maximum over the base and the steps from a task's own on: what the lower triangle can tell.
  case forgettingSinceLearned = "fm_since_learned"
  /// Chaudhry's F: (1/(T−1)) Σ_{j<T} (max_{1 ≤ l < T} R[l][j] − R[T][j]); positive is forgetting.
  case chaudhryForgetting = "chaudhry_f"
  /// BWT: (1/(T−1)) Σ_{i<T} (R[T][i] − R[i][i])
  case backwardTransfer = "bwt"
  /// FWT: (1/(T−1)) Σ_{i ≥ 2} (R[i−1][i] − R[0][i])
  case forwardTransfer = "fwt"
  /// meanⱼ (R[j][j] − R[j−1][j]): what each step gained on its own task.
  case gain
  /// meanⱼ (R[j][j] − R[0][j])
  case gainOverBase = "gain_over_base"

  var needsTwoTasks: Bool {
    switch self {
    case .priorForgetting, .chaudhryForgetting, .backwardTransfer, .forwardTransfer: true
    default: false
    }
  }
}

/// Why a metric has no value.
package enum MetricGap: Error, Sendable, Equatable {
  /// No score on a task, from 0, after a step; step 0 is the base.
  case missing(step: Int, task: Int)
  case oneTask

  package func text(_ tasks: [String]) -> String {
    switch self {
    case .missing(0, let task): "no score of the base on '\(tasks[task])'"
    case .missing(let step, let task): "no score on '\(tasks[task])' after '\(tasks[step - 1])'"
    case .oneTask: "needs two tasks"
    }
  }
}
