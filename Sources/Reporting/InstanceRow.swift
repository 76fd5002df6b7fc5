import Artifacts
import Execution
import Hashing
import JSONValues
import Planning

/// One stage instance of a run: what it is, what became of it, and what it was made from.
package struct InstanceRow: Sendable {
  /// One element of an input, by content.
  package struct Element: Sendable {
    package let digest: String
    /// The place of the instance that made it; nil for a source file.
    package let from: Int?
    /// That instance's output.
    package let output: String?
    package let type: String?
    /// How the manifest names a source.
    package let source: String?
    /// The axis values it came with, where the contract asks for them.
    package let labels: JSONObject
  }

  package struct Input: Sendable {
    package let name: String
    package let elements: [Element]
  }

  package let name: String
  package let path: InstancePath
  /// The contract's name.
  package let stage: String
  /// `waiting`, `cached`, `running`, `ran`, `failed`, `skipped`, `interrupted`.
  package let state: String
  /// What its result took, whenever that was computed; of one that failed, what the attempt took.
  package let seconds: Double?
  /// Since the run began; nil for what was not started in it.
  package let began: Double?
  package let ended: Double?
  package let key: String?
  package let reasons: [String]
  package let needs: [Int]
  package let parameters: JSONObject
  /// Parameters that are not what the contract would have them be; nil where the run did not record it.
  package let changed: [String]?
  /// In the order of the key's parts.
  package let inputs: [Input]
  /// The last value of each metric; of a running one, so far.
  package let metrics: JSONObject
  /// Of a running one that says how far it is.
  package let progress: (done: Int, of: Int)?
  package let warnings: [String]
  package let error: String?
  /// The last lines, without control characters.
  package let log: [String]
  package let outputs: [StoredOutput]
  /// What could have changed the bytes and is not in the key: CPU, kernel, threads.
  package let host: JSONObject
  /// On the longest chain of durations through the graph: no number of processors makes the run shorter than that.
  package fileprivate(set) var isCritical = false
  /// The first lane of the time line that is free for it; nil for what was not started in this run.
  package fileprivate(set) var lane: Int?

  package var isCached: Bool { state == "cached" }
}

extension InstanceRow {
  private static let logLines = 8

  static func rows(_ records: inout RunRecords) -> [InstanceRow] {
    var rows = records.indices.map { row($0, &records) }
    let lanes = RunLanes(rows, now: records.run.seconds)
    for index in rows.indices {
      rows[index].isCritical = lanes.critical.contains(index)
      rows[index].lane = lanes.lanes[index]
    }
    return rows
  }

  private static func row(_ index: Int, _ records: inout RunRecords) -> InstanceRow {
    let instance = records.run.instances[index]
    let outcome = records.outcomes[index]
    let activity = instance.activity
    let start = records.run.started
    let inputs = (records.parts[index]?["inputs"]?.objectValue?.members ?? []).map { name, value in
      Input(name: name, elements: elements(name, value, index, records))
    }
    return InstanceRow(
      name: instance.name, path: instance.path, stage: instance.stage, state: instance.state,
      seconds: instance.seconds ?? outcome?.seconds, began: instance.began.map { max(0, $0 - start) },
      ended: instance.ended.map { max(0, $0 - start) }, key: instance.key?.text, reasons: instance.reasons, needs: records.needs[index],
      parameters: instance.parameters, changed: instance.changed, inputs: inputs,
      metrics: outcome?.metrics ?? activity?.metricsObject ?? JSONObject(),
      progress: activity.flatMap { $0.of > 0 ? ($0.done, $0.of) : nil }, warnings: outcome?.warnings ?? activity?.warnings ?? [],
      error: instance.error, log: log(instance, outcome, records.store), outputs: outcome?.outputs ?? [],
      host: outcome?.host ?? JSONObject())
  }

  private static func elements(_ input: String, _ value: JSONValue, _ index: Int, _ records: RunRecords) -> [Element] {
    var sources = (records.run.instances[index].sources[input] ?? [])[...]
    return RunRecords.elements(value).map { digest, labels in
      let producer = records.producer(of: digest, for: index)
      let pairs = (labels?.arrayValue ?? []).compactMap { pair -> (String, JSONValue)? in
        guard let axis = pair[0]?.stringValue, let value = pair[1] else { return nil }
        return (axis, value)
      }
      return Element(
        digest: digest, from: producer?.instance, output: producer?.output.name, type: producer?.output.type,
        source: producer == nil ? sources.popFirst() : nil, labels: JSONObject(pairs))
    }
  }

  /// Of the attempt that is going on or failed, else of the result.
  private static func log(_ instance: RecordedRun.Instance, _ outcome: ResultOutcome?, _ store: Store) -> [String] {
    if let outcome {
      guard let log = outcome.log else { return [] }
      return LogTail.lines(of: store.objectPath(log), store.files, count: logLines)
    }
    guard let key = instance.key, instance.began != nil else { return [] }
    return LogTail.lines(of: store.workDirectory(key).logPath, store.files, count: logLines)
  }
}

extension InstanceRow {
  package var json: JSONValue {
    var object = JSONObject([
      ("instance", .string(name)), ("path", .array(path.segments.map(Self.json))), ("stage", .string(stage)), ("state", .string(state)),
    ])
    if let seconds { object.append("seconds", .number(seconds)) }
    if let began { object.append("began", .number(began)) }
    if let ended { object.append("ended", .number(ended)) }
    if let lane { object.append("lane", .integer(lane)) }
    if isCritical { object.append("critical", true) }
    if let progress { object.append("progress", ["done": .integer(progress.done), "of": .integer(progress.of)]) }
    if let key { object.append("key", .string(key)) }
    if !reasons.isEmpty { object.append("reasons", .array(reasons.map { .string($0) })) }
    object.append("needs", .array(needs.map { .integer($0) }))
    object.append("parameters", .object(parameters))
    if let changed { object.append("changed", .array(changed.map { .string($0) })) }
    if !inputs.isEmpty { object.append("inputs", .object(JSONObject(inputs.map { ($0.name, .array($0.elements.map(\.json))) }))) }
    if !outputs.isEmpty { object.append("outputs", .array(outputs.map(\.json))) }
    if !metrics.isEmpty { object.append("metrics", .object(metrics)) }
    if !host.isEmpty { object.append("host", .object(host)) }
    if !warnings.isEmpty { object.append("warnings", .array(warnings.map { .string($0) })) }
    if let error { object.append("error", .string(error)) }
    if !log.isEmpty { object.append("log", .array(log.map { .string($0) })) }
    return .object(object)
  }

  private static func json(_ segment: InstancePath.Segment) -> JSONValue {
    ["name": .string(segment.name), "axes": .object(JSONObject(segment.axes.map { ($0.axis, $0.value) }))]
  }
}

extension InstanceRow.Element {
  fileprivate var json: JSONValue {
    var object = JSONObject([("digest", .string(digest))])
    if let from { object.append("from", .integer(from)) }
    if let output { object.append("output", .string(output)) }
    if let type { object.append("type", .string(type)) }
    if let source { object.append("source", .string(source)) }
    if !labels.isEmpty { object.append("labels", .object(labels)) }
    return .object(object)
  }
}
