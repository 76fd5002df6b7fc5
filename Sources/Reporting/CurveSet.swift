import Artifacts
import Execution
import JSONValues

/// The metrics of a training, step by step: from its log, or from what it has reported so far.
package struct CurveSet: Sendable {
  package struct Point: Sendable, Equatable {
    package let step: Int
    package let value: Double

    package init(step: Int, value: Double) { (self.step, self.value) = (step, value) }
  }

  package struct Series: Sendable {
    /// As TRL names it: `loss`, `kl`, `rewards/exact/mean`. Looks at suites while training are `eval/SUITE`.
    package let name: String
    /// In the order of the steps; a step that was not measured is left out.
    package let points: [Point]

    package init(name: String, points: [Point]) { (self.name, self.points) = (name, points) }
  }

  package let instance: String
  package let stage: String
  /// Whether it comes from a stage that is not over, or did not come to its end.
  package let isPartial: Bool
  package let series: [Series]
  /// The step whose weights were handed over, where looks at suites chose one; 0 is the input model.
  package let restoredStep: Int?
  package let stoppedEarly: Bool?

  package subscript(name: String) -> Series? { series.first { $0.name.utf8.elementsEqual(name.utf8) } }
}

extension CurveSet.Series {
  /// At most `count` points that keep what a curve shows: the least and the greatest value of each of `count / 2` runs of steps.
  package func reduced(to count: Int) -> CurveSet.Series {
    guard points.count > count, count >= 2 else { return self }
    let buckets = count / 2
    var kept: [CurveSet.Point] = []
    for bucket in 0..<buckets {
      let range = bucket * points.count / buckets..<(bucket + 1) * points.count / buckets
      guard let low = range.min(by: { points[$0].value < points[$1].value }),
        let high = range.max(by: { points[$0].value < points[$1].value })
      else { continue }
      kept.append(points[min(low, high)])
      if low != high { kept.append(points[max(low, high)]) }
    }
    return CurveSet.Series(name: name, points: kept)
  }
}

// MARK: - From records

extension CurveSet {
  /// Instances with an output `log` that holds columns by step, as `train/sft` and `train/rft` write it and other programs may; and those that
  /// run or did not come to their end, from what they reported.
  static func all(_ records: inout RunRecords) -> [CurveSet] {
    var sets: [CurveSet] = []
    for index in records.indices {
      let instance = records.run.instances[index]
      if records.output(index, "log")?.type == "json" {
        guard let log = records.json(index, "log") else { continue }
        if let set = CurveSet(log: log, instance.name, instance.stage) {
          sets.append(set)
        } else if instance.stage.hasPrefix("train/") {
          records.note(index, "output log has no columns by step")
        }
      } else if ["running", "failed", "interrupted"].contains(instance.state), let key = instance.key {
        let path = records.store.workDirectory(key).eventsPath
        if let set = CurveSet(events: path, records.store.files, instance.name, instance.stage) { sets.append(set) }
      }
    }
    return sets
  }

  /// `{"step": [1, 2, …], "loss": […], …}`: every other list of that length is a series.
  package init?(log: JSONValue, _ instance: String, _ stage: String) {
    guard let members = log.objectValue?.members, let column = log["step"]?.arrayValue else { return nil }
    let steps = column.compactMap(\.integerValue)
    guard steps.count == column.count else { return nil }
    var series: [Series] = []
    for (name, value) in members where name != "step" {
      guard let values = value.arrayValue, values.count == steps.count, values.allSatisfy({ $0.isNull || $0.numberValue != nil }) else {
        continue
      }
      let points = zip(steps, values).compactMap { step, value in value.numberValue.map { Point(step: step, value: $0) } }
      if !points.isEmpty { series.append(Series(name: name, points: points)) }
    }
    self.instance = instance
    self.stage = stage
    isPartial = false
    self.series = series + Self.looks(log["evaluations"]?.arrayValue ?? [])
    restoredStep = log["restored_step"]?.integerValue
    stoppedEarly = log["stopped_early"]?.boolValue
  }

  /// The looks at suites while it trained.
  private static func looks(_ entries: [JSONValue]) -> [Series] {
    var collected = SeriesCollection()
    for entry in entries {
      guard let step = entry["step"]?.integerValue else { continue }
      if let value = entry["retention"]?.numberValue { collected.add("eval_retention", step, value) }
      if let value = entry["target"]?.numberValue { collected.add("eval_target", step, value) }
      for score in entry["scores"]?.arrayValue ?? [] {
        if let suite = score["suite"]?.stringValue, let value = score["score"]?.numberValue { collected.add("eval/\(suite)", step, value) }
      }
    }
    return collected.series
  }

  /// What a stage that is not over wrote into `events.jsonl`; nil where it reported nothing by step.
  private init?(events path: String, _ files: FileSystem, _ instance: String, _ stage: String) {
    guard let status = (try? files.status(path, followingLinks: false)) ?? nil, status.kind == .file,
      let bytes = try? files.readEnd(path, count: Self.mostEvents)
    else { return nil }
    var collected = SeriesCollection()
    for line in bytes.split(separator: 0x0A) where line.count < Self.longestEvent {
      guard let event = try? JSONValue(parsing: Array(line)), event["kind"]?.stringValue == "metric",
        let name = event["name"]?.stringValue?.printable(most: 200), let step = event["step"]?.integerValue,
        let value = event["value"]?.numberValue
      else { continue }
      collected.add(name, step, value)
    }
    // At step 0 a stage reports what it has no steps for.
    let series = collected.series.filter { series in series.points.contains { $0.step > 0 } }
    guard !series.isEmpty else { return nil }
    self.instance = instance
    self.stage = stage
    isPartial = true
    self.series = series
    restoredStep = nil
    stoppedEarly = nil
  }

  private static let mostEvents = 64 << 20
  private static let longestEvent = 1 << 20
}

/// Values by name and step as they come; of a step that is said twice, as after a resumption, the last counts.
private struct SeriesCollection {
  private var names: [String] = []
  private var places: [ByteString: Int] = [:]
  private var values: [[Int: Double]] = []

  private static let mostNames = 1000

  mutating func add(_ name: String, _ step: Int, _ value: Double) {
    if let place = places[ByteString(name)] {
      values[place][step] = value
    } else if names.count < Self.mostNames {
      places[ByteString(name)] = names.count
      names.append(name)
      values.append([step: value])
    }
  }

  var series: [CurveSet.Series] {
    zip(names, values).map { name, values in
      CurveSet.Series(name: name, points: values.sorted { $0.key < $1.key }.map { CurveSet.Point(step: $0.key, value: $0.value) })
    }
  }
}

extension CurveSet {
  package var json: JSONValue {
    var object = JSONObject([("instance", .string(instance)), ("stage", .string(stage)), ("partial", .bool(isPartial))])
    if let restoredStep { object.append("restored_step", .integer(restoredStep)) }
    if let stoppedEarly { object.append("stopped_early", .bool(stoppedEarly)) }
    object.append("series", .array(series.map(\.json)))
    return .object(object)
  }
}

extension CurveSet.Series {
  fileprivate var json: JSONValue {
    [
      "name": .string(name), "steps": .array(points.map { .integer($0.step) }), "values": .array(points.map { .number($0.value) }),
    ]
  }
}
