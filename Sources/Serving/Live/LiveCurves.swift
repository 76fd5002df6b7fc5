import Execution
import Reporting

/// The metrics of running instances as a new client is shown them: bounded in series and in points.
package struct LiveCurves: Sendable {
  private var series: [Int: [LivePoints.Series]] = [:]

  package static let mostSeries = 16
  package static let mostPoints = 800

  package init() {}

  /// What of `points` is shown: those of the first metrics that came.
  package mutating func add(_ points: [MetricPoint], to instance: Int) -> [LivePoints.Series] {
    var known = series[instance] ?? []
    var fresh: [LivePoints.Series] = []
    for point in points {
      let place: Int
      if let found = known.firstIndex(where: { $0.name.utf8.elementsEqual(point.name.utf8) }) {
        place = found
      } else if known.count < Self.mostSeries {
        place = known.count
        known.append(LivePoints.Series(name: point.name, points: []))
      } else {
        continue
      }
      known[place].points.append(point)
      if let shown = fresh.firstIndex(where: { $0.name.utf8.elementsEqual(point.name.utf8) }) {
        fresh[shown].points.append(point)
      } else {
        fresh.append(LivePoints.Series(name: point.name, points: [point]))
      }
    }
    series[instance] = known.map(Self.bounded)
    return fresh.map(Self.bounded)
  }

  package mutating func forget(_ instance: Int) { series[instance] = nil }

  /// All that is known, for somebody who knows nothing.
  package var whole: [LivePoints] {
    series.sorted { $0.key < $1.key }.map { LivePoints(instance: $0.key, isWhole: true, series: $0.value) }
  }

  private static func bounded(_ series: LivePoints.Series) -> LivePoints.Series {
    guard series.points.count > mostPoints else { return series }
    let points = series.points.map { CurveSet.Point(step: $0.step, value: $0.value) }
    let kept = CurveSet.Series(name: series.name, points: points).reduced(to: mostPoints / 2).points
    return LivePoints.Series(name: series.name, points: kept.map { MetricPoint(name: series.name, step: $0.step, value: $0.value) })
  }
}
