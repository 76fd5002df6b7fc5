import Kernels
import Modeling

/// Elastic weight consolidation: (λ/2) Σ_k Σ_i F_k,i (θ_i − θ*_k,i)² over tasks k, F_k the diagonal Fisher at the model θ*_k that the task
/// left (Kirkpatrick et al. 2017, equation 3).
///
/// However many tasks there are, two arenas hold them: a sum of parabolas is one parabola, F(θ − m)² + c with F = Σ F_k, m their weighted
/// mean, and c ≥ 0, which no gradient sees but the value does.
package struct ConsolidationTerm: ParameterTerm {
  package let name = "ewc"
  package let identity: String
  private let lambda: Double
  private let tasks: ConsolidatedTasks

  package init(lambda: Double, _ tasks: ConsolidatedTasks) {
    self.lambda = lambda
    self.tasks = tasks
    identity = "ewc \(lambda), \(tasks.count) tasks"
  }

  package func apply(_ pool: ThreadPool, _ parts: [TrainedPart]) -> Double {
    let half = lambda / 2
    return parts.reduce(0) { sum, part in
      let moved = AnchorPenalty.weighted(
        pool, count: part.count, parameters: part.parameters, anchor: tasks.centre.pointer + part.offset,
        importance: tasks.importance.pointer + part.offset, gradients: part.gradients, scale: Float(half))
      return sum + half * (moved + tasks.constant(part.offset..<part.offset + part.count))
    }
  }
}

/// The parabolas of all tasks in one.
///
/// `@unchecked Sendable`: tasks are added before it is shared.
package final class ConsolidatedTasks: @unchecked Sendable {
  package private(set) var count = 0
  /// F
  let importance: ParameterArena
  /// m
  let centre: ParameterArena
  /// c by entry of the layout.
  private var constants: [Double]

  package init(_ layout: ParameterLayout) {
    importance = ParameterArena(layout)
    centre = ParameterArena(layout)
    constants = [Double](repeating: 0, count: layout.entries.count)
  }

  /// Adds F_k(θ − θ*_k)²: a(θ − u)² + b(θ − v)² = (a + b)(θ − m)² + ab/(a + b)·(u − v)² with m = (au + bv)/(a + b).
  package func add(fisher: ParameterArena, at model: ParameterArena) {
    precondition(fisher.layout == importance.layout && model.layout == importance.layout, "a task of another layout")
    for (index, entry) in importance.layout.entries.enumerated() {
      var constant = 0.0
      for i in entry.range {
        let (a, b) = (Double(importance.pointer[i]), Double(fisher.pointer[i]))
        let (u, v) = (Double(centre.pointer[i]), Double(model.pointer[i]))
        // A weight without importance anywhere stays at the last task's.
        let sum = a + b
        constant += sum > 0 ? a * b / sum * (u - v) * (u - v) : 0
        importance.pointer[i] = Float(sum)
        centre.pointer[i] = a == 0 ? model.pointer[i] : Float(u + b / sum * (v - u))
      }
      constants[index] += constant
    }
    count += 1
  }

  /// c over the entries in a range of the arena.
  func constant(_ range: Range<Int>) -> Double {
    zip(importance.layout.entries, constants).reduce(0) { $0 + (range.contains($1.0.offset) ? $1.1 : 0) }
  }
}
