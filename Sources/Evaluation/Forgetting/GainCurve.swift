/// Forgetting as a function of what was learned, along a sequence: the way to compare methods that did not learn equally much.
///
/// After step t, Gₜ = (1/T) Σ_{j ≤ t} (R[j][j] − R[j−1][j]) is the gain so far, and Fₜ = (1/T) Σⱼ (R[t][j] − max_{s ≤ t} R[s][j]) the
/// forgetting so far. The curve runs straight from point to point, from (0, 0) to (gain, FM). Forgetting at a gain g is where the curve
/// reaches g for the first time. Two methods are compared at the largest gain that both reach.
package struct GainCurve: Sendable, Equatable {
  package struct Point: Sendable, Equatable {
    package let gain: Double
    package let forgetting: Double

    package init(gain: Double, forgetting: Double) { (self.gain, self.forgetting) = (gain, forgetting) }
  }

  /// T + 1, the base's first.
  package let points: [Point]

  /// Nil where a score is missing.
  package init?(_ matrix: ScoreMatrix) {
    let tasks = Double(matrix.taskCount)
    var points = [Point(gain: 0, forgetting: 0)]
    var best = matrix.rows[0]
    for task in matrix.tasks {
      let row = matrix.rows[task + 1]
      guard let learned = row[task], let before = matrix.rows[task][task] else { return nil }
      var lost = 0.0
      for column in matrix.tasks {
        guard let score = row[column], let known = best[column] else { return nil }
        best[column] = max(known, score)
        lost += min(0, score - known)
      }
      points.append(Point(gain: points[task].gain + (learned - before) / tasks, forgetting: lost / tasks))
    }
    self.points = points
  }

  /// The largest gain on the way.
  package var reach: Double { points.map(\.gain).max() ?? 0 }

  /// Nil for a gain that is never reached.
  package func forgetting(at gain: Double) -> Double? {
    guard let end = points.firstIndex(where: { $0.gain >= gain }) else { return nil }
    guard end > 0 else { return points[0].forgetting }
    let (from, to) = (points[end - 1], points[end])
    return from.forgetting + (gain - from.gain) / (to.gain - from.gain) * (to.forgetting - from.forgetting)
  }

  /// Where two curves are compared; nil where one of them gained nothing.
  package static func commonGain(_ left: GainCurve, _ right: GainCurve) -> Double? {
    let gain = min(left.reach, right.reach)
    return gain > 0 ? gain : nil
  }
}
