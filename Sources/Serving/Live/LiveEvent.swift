import Execution
import JSONValues

/// One thing that a live page is told: a typed server-sent event. All of them say how things stand, none what to add or take away but `points`,
/// so that an event more or less does no harm.
package enum LiveEvent: Sendable, Equatable {
  /// The run as a whole: counts by state.
  case run(LiveRun)
  /// Instances that stand otherwise than before; to a new client, all.
  case instances([LiveInstance])
  /// Values of metrics of an instance by step.
  case points(LivePoints)
  /// The end of an instance's log, in place of what was known of it.
  case log(instance: Int, lines: [String])
  /// The run is over; nothing follows.
  case end(standing: String)

  package var name: String {
    switch self {
    case .run: "run"
    case .instances: "instances"
    case .points: "points"
    case .log: "log"
    case .end: "end"
    }
  }

  package var data: JSONValue {
    switch self {
    case .run(let run): run.json
    case .instances(let instances): .array(instances.map(\.json))
    case .points(let points): points.json
    case .log(let instance, let lines): ["instance": .integer(instance), "lines": .array(lines.map { .string($0) })]
    case .end(let standing): ["state": .string(standing)]
    }
  }
}

package struct LiveRun: Sendable, Equatable {
  package var standing: String
  /// Since it began, when this was said; of one that is over, in all.
  package var seconds: Double
  /// By state, those that there are, in a fixed order.
  package var counts: [Count]

  package struct Count: Sendable, Equatable {
    package let state: String
    package let count: Int
  }

  package static let states = ["ran", "cached", "failed", "skipped", "interrupted", "running", "waiting"]

  package var json: JSONValue {
    [
      "state": .string(standing), "seconds": .number(seconds),
      "counts": .object(JSONObject(counts.map { ($0.state, .integer($0.count)) })),
    ]
  }
}

package struct LiveInstance: Sendable, Equatable {
  package struct Metric: Sendable, Equatable {
    package let name: String
    package let value: Double

    package init(name: String, value: Double) { (self.name, self.value) = (name, value) }
  }

  package var place: Int
  package var name: String
  package var stage: String
  package var state: String
  /// Of one that is over, what its result took; of one that runs, since when, from the beginning of the run.
  package var seconds: Double?
  package var began: Double?
  package var done = 0
  package var of = 0
  package var secondsLeft: Double?
  /// The last value of each, the first few of them.
  package var metrics: [Metric] = []
  package var warnings = 0
  package var error: String?

  package static let mostMetrics = 12
  private static let longestError = 2000

  package init(_ instance: RecordedRun.Instance, place: Int, started: Double) {
    self.place = place
    name = instance.name
    stage = instance.stage
    state = instance.state
    seconds = instance.seconds
    began = instance.began.map { max(0, $0 - started) }
    error = instance.error.map { String(decoding: $0.utf8.prefix(Self.longestError), as: UTF8.self) }
    guard instance.state == "running", let activity = instance.activity else { return }
    done = activity.done
    of = activity.of
    secondsLeft = activity.secondsLeft
    metrics = activity.metrics.prefix(Self.mostMetrics).map { Metric(name: $0.name, value: $0.value) }
    warnings = activity.warnings.count
  }

  package var json: JSONValue {
    var object = JSONObject([
      ("instance", .integer(place)), ("name", .string(name)), ("stage", .string(stage)), ("state", .string(state)),
    ])
    if let seconds { object.append("seconds", .number(seconds)) }
    if let began { object.append("began", .number(began)) }
    if of > 0 { object.append("progress", ["done": .integer(done), "of": .integer(of)]) }
    if let secondsLeft { object.append("left", .number(secondsLeft)) }
    if !metrics.isEmpty { object.append("metrics", .object(JSONObject(metrics.map { ($0.name, .number($0.value)) }))) }
    if warnings > 0 { object.append("warnings", .integer(warnings)) }
    if let error { object.append("error", .string(error)) }
    return .object(object)
  }
}

package struct LivePoints: Sendable, Equatable {
  package struct Series: Sendable, Equatable {
    package let name: String
    package var points: [MetricPoint]

    package init(name: String, points: [MetricPoint]) { (self.name, self.points) = (name, points) }
  }

  package var instance: Int
  /// What was known before is void: an attempt began anew, or this is all there is.
  package var isWhole: Bool
  package var series: [Series]

  package init(instance: Int, isWhole: Bool, series: [Series]) {
    self.instance = instance
    self.isWhole = isWhole
    self.series = series
  }

  package var json: JSONValue {
    [
      "instance": .integer(instance), "whole": .bool(isWhole),
      "series": .array(
        series.map { one in
          [
            "name": .string(one.name), "steps": .array(one.points.map { .integer($0.step) }),
            "values": .array(one.points.map { .number($0.value) }),
          ]
        }),
    ]
  }
}
