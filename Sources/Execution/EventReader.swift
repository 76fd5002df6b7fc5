import Artifacts

/// Follows a growing `events.jsonl`, reading only what is new, and holding no more than a line of it.
package struct EventReader: Sendable {
  private var lines: LineTail
  package private(set) var activity = StageActivity()

  package init(path: String) { lines = LineTail(path: path) }

  /// Takes in the lines that have been finished since; true when there were any.
  ///
  /// - Parameter points: is handed each new value of a metric that stands at a step.
  package mutating func advance(points: ((MetricPoint) -> Void)? = nil) -> Bool {
    lines.advance { activity.take($0, heard: Double(wallClock()) / 1e9, points: points) } ?? false
  }

  /// Nil when it cannot be read; `errno` says why.
  mutating func advance(_ descriptor: Int32) -> Bool? { lines.advance(descriptor) { activity.take($0) } }

  /// Takes in what stands at the end without a line's end.
  mutating func finish() { activity.take(lines.takeRest()) }
}

/// A metric's value at a step.
package struct MetricPoint: Sendable, Equatable {
  package let name: String
  package let step: Int
  package let value: Double

  package init(name: String, step: Int, value: Double) { (self.name, self.step, self.value) = (name, step, value) }
}
