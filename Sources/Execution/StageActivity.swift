import Artifacts
import Glibc
import JSONValues

/// What a stage reports about itself in `events.jsonl`: how far it is, the last value of each metric, facts about how it computed.
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

  init(reading path: String, _ files: FileSystem) throws(StoreError) {
    take(try files.read(path) ?? [])
  }

  package var metricsObject: JSONObject { JSONObject(metrics.map { ($0.name, .number($0.value)) }) }

  package var fraction: Double? { of > 0 ? min(1, Double(done) / Double(of)) : nil }

  /// Steps a second, over what was seen.
  package var rate: Double? {
    guard let first, let latest, latest.time > first.time, latest.done > first.done else { return nil }
    return Double(latest.done - first.done) / (latest.time - first.time)
  }

  package var secondsLeft: Double? { rate.map { Double(max(0, of - done)) / $0 } }

  /// Takes in whole lines.
  mutating func take(_ bytes: [UInt8]) {
    for line in bytes.split(separator: 0x0A) {
      guard let event = try? JSONValue(parsing: Array(line)) else { continue }
      switch event["kind"]?.stringValue {
      case "progress": progress(event)
      case "metric": metric(event)
      case "fact": if let name = event["name"]?.stringValue { facts.set(name, event["value"]) }
      case "warning":
        if let text = event["text"]?.stringValue, !warnings.contains(where: { $0.utf8.elementsEqual(text.utf8) }) { warnings.append(text) }
      default: break
      }
    }
  }

  private mutating func progress(_ event: JSONValue) {
    guard let done = event["done"]?.integerValue, let of = event["of"]?.integerValue else { return }
    self.done = done
    self.of = of
    guard let time = event["t"]?.numberValue else { return }
    // A retry or a resumption begins anew.
    if first == nil || done < (latest?.done ?? 0) { first = (time, done) }
    latest = (time, done)
  }

  private mutating func metric(_ event: JSONValue) {
    guard let name = event["name"]?.stringValue, let value = event["value"]?.numberValue else { return }
    let entry = (name: name, value: value, step: event["step"]?.integerValue)
    if let place = metrics.firstIndex(where: { $0.name.utf8.elementsEqual(name.utf8) }) {
      metrics[place] = entry
    } else {
      metrics.append(entry)
    }
  }
}

/// Follows a growing `events.jsonl`, reading only what is new.
package struct EventReader: Sendable {
  private let path: String
  private var offset = 0
  private var rest: [UInt8] = []
  package private(set) var activity = StageActivity()

  package init(path: String) { self.path = path }

  /// Takes in the lines that have been finished since; true when there were any.
  package mutating func advance() -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var piece = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = pread(descriptor, &piece, piece.count, off_t(offset))
      guard count > 0 else { break }
      rest += piece[..<count]
      offset += count
    }
    guard let end = rest.lastIndex(of: 0x0A) else { return false }
    activity.take(Array(rest[...end]))
    rest.removeFirst(end + 1)
    return true
  }
}
