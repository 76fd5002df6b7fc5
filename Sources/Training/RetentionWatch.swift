import JSONValues
import Kernels

/// Looks at a model while it is trained, keeps the weights of the best evaluation, and says when to stop.
///
/// `@unchecked Sendable`: belongs to the loop that it watches.
package final class RetentionWatch: @unchecked Sendable {
  package private(set) var curve: RetentionCurve
  /// The trained weights at the best evaluation.
  private let best: FloatBuffer
  private let evaluate: (_ step: Int) throws -> RetentionPoint?
  private let onPoint: (RetentionCurve) -> Void

  /// - Parameters:
  ///   - count: floats that train.
  ///   - evaluate: scores the model as it is; nil when told to stop.
  ///   - onPoint: told of each new evaluation.
  package init(
    rule: RetentionRule, count: Int, evaluate: @escaping (_ step: Int) throws -> RetentionPoint?,
    onPoint: @escaping (RetentionCurve) -> Void = { _ in }
  ) {
    curve = RetentionCurve(rule: rule)
    best = FloatBuffer(count: count)
    self.evaluate = evaluate
    self.onPoint = onPoint
  }

  /// What the loop does before a step and after the last.
  package enum Verdict: Sendable, Equatable {
    case goOn
    /// Retention has been too low for too long.
    case end
    /// Told to stop in the midst of an evaluation: nothing has changed.
    case interrupted
  }

  /// - Parameter trained: what trains, as it is after `step` steps.
  package func look(step: Int, of total: Int, _ trained: TrainableParameters) throws -> Verdict {
    if curve.isDue(step: step, of: total) {
      guard let point = try evaluate(step) else { return .interrupted }
      if curve.add(point, step: step) { best.pointer.update(from: trained.stored().pointer, count: best.count) }
      onPoint(curve)
    }
    return curve.isOver ? .end : .goOn
  }

  /// Puts the best weights back.
  package func restore(_ trained: TrainableParameters, _ pool: ThreadPool) {
    if curve.bestStep != nil { trained.restore(best, pool) }
  }

  // MARK: - In a checkpoint

  package var buffers: [FloatBuffer] { [best] }

  package var fields: [(String, JSONValue)] { [("evaluations", curve.json)] }

  /// False where the header lacks its evaluations.
  package func resume(_ header: JSONValue) -> Bool {
    guard let known = RetentionCurve(json: header["evaluations"], rule: curve.rule) else { return false }
    curve = known
    return true
  }
}
