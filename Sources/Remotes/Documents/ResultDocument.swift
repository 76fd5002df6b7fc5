import Artifacts
import Hashing
import JSONValues

/// A result as remotes keep it under `results/<key>`: the answer of a key with the key's parts in full, without what is nobody's business
/// elsewhere (the host's name). It does not hold bytes; it says by digest and size which there are.
///
/// ```
/// {"format": "heirloom remote result 1", "key": "sha256:…", "stage": "train/sft", "parts": {…},
///  "outcome": {"outputs": [{"name", "type", "digest", "size", "directory", "listing": bytes of it, "held": false}], "recipe", "instance", "run",
///              "finished", "seconds", "host", "metrics", "warnings", "log": "sha256:…", "log_size": 123, "mixed"}}
/// ```
package struct ResultDocument: Sendable, Equatable {
  static let format = "heirloom remote result 1"

  package let key: Digest
  package let stage: String
  package let parts: JSONValue
  package let outcome: ResultOutcome
  /// Of each output that is a directory: the bytes of its listing. 0 for a file.
  package let listingSizes: [Int]
  /// Of each output: whether its bytes were there to be pushed.
  package let held: [Bool]
  /// Of the log, where it was pushed too.
  package let logSize: Int?

  /// Facts about a host that stay on it.
  private static let privateFacts = ["host"]

  package init(_ record: ResultRecord, listingSizes: [Int], held: [Bool], logSize: Int?) {
    precondition(listingSizes.count == record.answer.outputs.count && held.count == record.answer.outputs.count)
    key = record.key
    stage = record.stage
    parts = record.parts
    var outcome = record.answer
    for fact in Self.privateFacts { outcome.host.set(fact, nil) }
    if logSize == nil { outcome.log = nil }
    self.outcome = outcome
    self.listingSizes = listingSizes
    self.held = held
    self.logSize = logSize
  }

  package var bytes: [UInt8] {
    guard case .object(var answer) = outcome.json else { preconditionFailure("an outcome is an object") }
    let outputs = outcome.outputs.indices.map { place in
      guard case .object(var object) = outcome.outputs[place].json else { preconditionFailure("an output is an object") }
      if outcome.outputs[place].isDirectory, held[place] { object.set("listing", .integer(listingSizes[place])) }
      if !held[place] { object.set("held", false) }
      return JSONValue.object(object)
    }
    answer.set("outputs", .array(outputs))
    if let logSize { answer.set("log_size", .integer(logSize)) }
    return CanonicalJSON.bytes([
      "format": .string(Self.format), "key": .string(key.text), "stage": .string(stage), "parts": parts, "outcome": .object(answer),
    ])
  }

  /// Reads what a remote gave for a key. The key is worked out again from the parts, so that no result stands for another's.
  package init(_ bytes: [UInt8], key: Digest, from address: String) throws(RemoteError) {
    let reading = StrictReading(subject: "\(address) results/\(key.hex)")
    let json = try reading.json(bytes, limit: RemoteLimits.resultBytes, format: Self.format)
    guard let parts = json["parts"], let answer = json["outcome"] else { throw reading.fail("has no parts or no outcome") }
    guard try reading.digest(json["key"], "key") == key else { throw reading.fail("is the result of another key") }
    let worked = CanonicalJSON.digest(parts)
    guard worked == key else { throw reading.fail("its parts have the key \(worked)") }
    let stage = try reading.name(json["stage"], "stage")
    guard parts["stage"]?.stringValue?.utf8.elementsEqual(stage.utf8) == true else { throw reading.fail("its parts are of another stage") }
    self.key = key
    self.stage = stage
    self.parts = parts
    var outputs: [StoredOutput] = []
    var listingSizes: [Int] = []
    var held: [Bool] = []
    for entry in try reading.list(answer["outputs"], "outputs", most: RemoteLimits.outputs) {
      let output = try Self.output(entry, reading)
      outputs.append(output)
      held.append(entry["held"]?.boolValue ?? true)
      let hasListing = output.isDirectory && held[held.count - 1]
      listingSizes.append(hasListing ? try reading.size(entry["listing"], "listing", most: RemoteLimits.listingBytes) : 0)
    }
    let names = outputs.map(\.name)
    guard let declared = parts["outputs"]?.arrayValue?.compactMap(\.stringValue), declared.sorted() == names.sorted(),
      Set(names).count == names.count
    else { throw reading.fail("has other outputs than its stage") }
    outcome = try Self.outcome(answer, outputs, reading)
    self.listingSizes = listingSizes
    self.held = held
    logSize = outcome.log == nil ? nil : try reading.size(answer["log_size"], "log_size")
  }

  private static func output(_ entry: JSONValue, _ reading: StrictReading) throws(RemoteError) -> StoredOutput {
    guard let isDirectory = entry["directory"]?.boolValue else { throw reading.fail("'directory' is not true or false") }
    return StoredOutput(
      name: try reading.word(entry["name"], "name"), type: try reading.word(entry["type"], "type"),
      digest: try reading.digest(entry["digest"], "digest"), size: try reading.size(entry["size"], "size"), isDirectory: isDirectory)
  }

  private static func outcome(
    _ answer: JSONValue, _ outputs: [StoredOutput], _ reading: StrictReading
  ) throws(RemoteError) -> ResultOutcome {
    var host = answer["host"]?.objectValue ?? JSONObject()
    for fact in privateFacts { host.set(fact, nil) }
    return ResultOutcome(
      outputs: outputs, recipe: try reading.name(answer["recipe"], "recipe"), instance: try reading.name(answer["instance"], "instance"),
      run: try reading.name(answer["run"], "run"), finished: try reading.number(answer["finished"], "finished"),
      seconds: max(0, try reading.number(answer["seconds"], "seconds")), host: host,
      metrics: answer["metrics"]?.objectValue ?? JSONObject(),
      warnings: answer["warnings"] == nil ? [] : try reading.list(answer["warnings"], "warnings", most: 1000).compactMap(\.stringValue),
      log: answer["log"] == nil ? nil : try reading.digest(answer["log"], "log"), isMixed: answer["mixed"]?.boolValue ?? false)
  }

  /// What an output's digest names: a file, or a directory's listing.
  package func root(_ place: Int) -> Blob {
    let output = outcome.outputs[place]
    return Blob(output.digest, size: output.isDirectory ? listingSizes[place] : output.size, title: output.name, mediaType: nil)
  }

  package var log: Blob? {
    guard let log = outcome.log, let logSize else { return nil }
    return Blob(log, size: logSize, title: "log.txt")
  }

  /// The files of an output that is a directory.
  package static func files(_ listing: TreeListing, of output: StoredOutput) -> [Blob] {
    listing.files.map { Blob($0.digest, size: $0.size, title: "\(output.name)/\($0.path)") }
  }
}
