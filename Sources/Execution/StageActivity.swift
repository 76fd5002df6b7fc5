import Artifacts
import Glibc
import JSONValues

/// What a stage reports about itself in `events.jsonl`: how far it is, the last value of each metric, facts about how it computed.
///
/// A stage may be any program, so nothing it writes there is trusted: texts are cut and rid of control characters, only so many names are
/// kept, and numbers that a stage cannot have come to are passed over.
///
/// Kinds of line: `progress` (`done`, `of`), `metric` (`step`, `name`, `value`), `fact` (`name`, `value`: recorded with the result; the
/// fact `mixed` says that it went on from a checkpoint of another kernel), `warning` (`text`). Anything else is passed over.
package struct StageActivity: Sendable {
  package private(set) var done = 0
  package private(set) var of = 0
  /// When the first and the latest progress were reported, and how far it was then: what a rate is made of.
  package private(set) var first: (time: Double, done: Int)?
  package private(set) var latest: (time: Double, done: Int)?
  /// In the order in which they first came.
  package private(set) var metrics: [(name: String, value: Double, step: Int?)] = []
  package private(set) var facts = JSONObject()
  /// Each text once: a stage that is resumed says it again.
  package private(set) var warnings: [String] = []

  package init() {}

  /// What a stage has written in all; a last line without an end counts, too. Something else in the place of the file says nothing.
  init(reading path: String, _ files: FileSystem) throws(StoreError) {
    try files.begin(.read, path)
    guard try files.status(path, followingLinks: false)?.kind == .file else { return }
    let descriptor = try files.open(path, O_RDONLY | O_NONBLOCK)
    defer { close(descriptor) }
    var reader = EventReader(path: path)
    guard reader.advance(descriptor) != nil else {
      throw StoreError("cannot read what the stage reported: \(String(cString: strerror(errno)))", path: path, code: errno)
    }
    reader.finish()
    self = reader.activity
  }

  package var metricsObject: JSONObject { JSONObject(metrics.map { ($0.name, .number($0.value)) }) }

  private static let longestName = 200
  private static let longestWarning = 2000
  private static let mostNames = 1000
  /// Beyond it a double does not tell one number from the next, and sums of a few would not fit.
  private static let largestCount = 1 << 53

  package var fraction: Double? { of > 0 ? min(1, Double(done) / Double(of)) : nil }

  /// Steps a second, over what was seen.
  package var rate: Double? {
    guard let first, let latest, latest.time > first.time, latest.done > first.done else { return nil }
    return Double(latest.done - first.done) / (latest.time - first.time)
  }

  package var secondsLeft: Double? { rate.map { Double(max(0, of - done)) / $0 } }

  /// Takes in whole lines.
  ///
  /// - Parameters:
  ///   - heard: when, for stages that do not say it themselves.
  ///   - points: is handed each value of a metric that stands at a step, in the order in which they came.
  package mutating func take(_ bytes: [UInt8], heard: Double? = nil, points: ((MetricPoint) -> Void)? = nil) {
    for line in bytes.split(separator: 0x0A) {
      guard let event = try? JSONValue(parsing: Array(line)) else { continue }
      switch event["kind"]?.stringValue {
      case "progress": progress(event, heard)
      case "metric":
        if let point = metric(event) { points?(point) }
      case "fact":
        guard let name = Self.name(event), facts.count < Self.mostNames || facts[name] != nil else { continue }
        facts.set(name, event["value"])
      case "warning":
        guard let text = event["text"]?.stringValue?.printable(most: Self.longestWarning), warnings.count < Self.mostNames else { continue }
        if !warnings.contains(where: { $0.utf8.elementsEqual(text.utf8) }) { warnings.append(text) }
      default: break
      }
    }
  }

  private mutating func progress(_ event: JSONValue, _ heard: Double?) {
    let counts = 0...Self.largestCount
    guard let done = event["done"]?.integerValue, let of = event["of"]?.integerValue, counts.contains(done), counts.contains(of) else {
      return
    }
    self.done = done
    self.of = of
    guard let time = event["t"]?.numberValue ?? heard else { return }
    // A retry or a resumption begins anew; so does what is told all at once.
    if first.map({ $0.time >= time }) ?? true || done < (latest?.done ?? 0) { first = (time, done) }
    latest = (time, done)
  }

  private static func name(_ event: JSONValue) -> String? { event["name"]?.stringValue?.printable(most: longestName) }

  private mutating func metric(_ event: JSONValue) -> MetricPoint? {
    guard let name = Self.name(event), let value = event["value"]?.numberValue else { return nil }
    let entry = (name: name, value: value, step: event["step"]?.integerValue)
    if let place = metrics.firstIndex(where: { $0.name.utf8.elementsEqual(name.utf8) }) {
      metrics[place] = entry
    } else if metrics.count < Self.mostNames {
      metrics.append(entry)
    } else {
      return nil
    }
    return entry.step.map { MetricPoint(name: name, step: $0, value: value) }
  }
}
