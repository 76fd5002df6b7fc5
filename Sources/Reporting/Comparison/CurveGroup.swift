import JSONValues

/// One metric of one training, in each run: what is drawn into one plot.
package struct CurveGroup: Sendable {
  package let instance: String
  package let metric: String
  /// By run; nil where it has no such curve.
  package let series: [CurveSet.Series?]

  /// Curves that are the same in all the runs are left out: there is nothing to compare.
  static func all(_ reports: [RunReport]) -> [CurveGroup] {
    let sets = RunsComparison.aligned(reports.map(\.curves)) { $0.instance }
    return sets.flatMap { instance, found in
      RunsComparison.aligned(found.map { $0?.series ?? [] }) { $0.name }.map {
        CurveGroup(instance: instance, metric: $0.name, series: $0.found)
      }
    }.filter { group in
      let first = group.series[0]?.points
      return group.series.contains { $0?.points != first }
    }
  }

  package var json: JSONValue {
    [
      "instance": .string(instance), "name": .string(metric),
      "series": .array(
        series.map { series in
          guard let series else { return .null }
          return ["steps": .array(series.points.map { .integer($0.step) }), "values": .array(series.points.map { .number($0.value) })]
        }),
    ]
  }
}
