import Artifacts
import Execution
import Hashing
import JSONValues

/// The records of a run as its report reads them: results, and outputs as JSON. What cannot be read becomes a note, once.
struct RunRecords {
  let run: RecordedRun
  let store: Store
  /// By instance: what came out in this run, or what answered for it; nil where nothing did yet.
  let outcomes: [ResultOutcome?]
  /// By instance, the parts of the key.
  let parts: [JSONValue?]
  /// By instance, the places of those that it takes something from.
  let needs: [[Int]]
  private(set) var notes: [String] = []

  /// A larger file is no record but data.
  private static let largestRecord = 64 << 20

  /// - Parameter stages: reads the results of these alone.
  init(_ run: RecordedRun, _ store: Store, stages: Set<String>? = nil) throws(StoreError) {
    self.run = run
    self.store = store
    var outcomes: [ResultOutcome?] = []
    var parts: [JSONValue?] = []
    var notes: [String] = []
    for instance in run.instances {
      var outcome: ResultOutcome?
      var part: JSONValue?
      if let key = instance.key, Self.isDone(instance), stages?.contains(instance.stage) ?? true {
        do throws(StoreError) {
          if let record = try store.result(key) {
            outcome = record.outcomes.last { $0.run == run.id } ?? record.answer
            part = record.parts
          } else {
            notes.append("\(instance.name): its result is gone from the store")
          }
        } catch { notes.append("\(instance.name): its result cannot be read: \(error)") }
      }
      outcomes.append(outcome)
      parts.append(part)
    }
    self.outcomes = outcomes
    self.parts = parts
    self.notes = notes
    var places: [ByteString: Int] = [:]
    for (place, instance) in run.instances.enumerated() { places[ByteString(instance.name)] = place }
    needs = run.instances.map { $0.needs.compactMap { places[ByteString($0)] } }
  }

  private static func isDone(_ instance: RecordedRun.Instance) -> Bool { instance.state == "ran" || instance.state == "cached" }

  var indices: Range<Int> { run.instances.indices }

  func name(_ index: Int) -> String { run.instances[index].name }
  func stage(_ index: Int) -> String { run.instances[index].stage }

  /// Those of a stage that have a result.
  func instances(of stage: String) -> [Int] {
    indices.filter { outcomes[$0] != nil && run.instances[$0].stage.utf8.elementsEqual(stage.utf8) }
  }

  func output(_ index: Int, _ name: String) -> StoredOutput? { outcomes[index]?.outputs.first { $0.name.utf8.elementsEqual(name.utf8) } }

  mutating func note(_ index: Int, _ text: String) {
    let note = "\(name(index)): \(text)"
    if !notes.contains(where: { $0.utf8.elementsEqual(note.utf8) }) { notes.append(note) }
  }

  // MARK: - Outputs

  /// The bytes of an output, of a directory those of `file` in it; nil, with a note, where they are not to be had.
  mutating func bytes(_ index: Int, _ output: StoredOutput, file: String? = nil) -> [UInt8]? {
    do throws(StoreError) {
      var digest = output.digest
      if let file {
        guard let listing = try store.listing(digest) else { return missing(index, output) }
        guard let entry = listing.files.first(where: { $0.path.utf8.elementsEqual(file.utf8) }) else { return nil }
        digest = entry.digest
      }
      guard let status = try store.files.status(store.objectPath(digest)) else { return missing(index, output) }
      guard status.size <= Self.largestRecord else {
        note(index, "output \(output.name) is too large to be read into a report (\(ByteCount.text(status.size)))")
        return nil
      }
      return try store.object(digest)
    } catch {
      note(index, "output \(output.name) cannot be read: \(error)")
      return nil
    }
  }

  private mutating func missing(_ index: Int, _ output: StoredOutput) -> [UInt8]? {
    note(index, "the bytes of output \(output.name) are gone from the store")
    return nil
  }

  mutating func json(_ index: Int, _ name: String, file: String? = nil) -> JSONValue? {
    guard let output = output(index, name), let bytes = bytes(index, output, file: file) else { return nil }
    do throws(JSONError) { return try Self.value(bytes) } catch {
      note(index, "output \(name) is no JSON: \(error)")
      return nil
    }
  }

  /// The lines of a JSONL output; those that are no JSON are counted in a note.
  mutating func rows(_ index: Int, _ name: String, file: String? = nil) -> [JSONValue]? {
    guard let output = output(index, name), let bytes = bytes(index, output, file: file) else { return nil }
    let lines = bytes.split(separator: 0x0A)
    let rows = lines.compactMap { try? Self.value(Array($0)) }
    if rows.count < lines.count { note(index, "\(Count.text(lines.count - rows.count, "line")) of output \(name) are no JSON") }
    return rows
  }

  /// Text that is no UTF-8 reads with U+FFFD in it.
  private static func value(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
    do throws(JSONError) { return try JSONValue(parsing: bytes) } catch {
      guard String(validating: bytes, as: UTF8.self) == nil else { throw error }
      return try JSONValue(parsing: Array(String(decoding: bytes, as: UTF8.self).utf8))
    }
  }

  // MARK: - Where inputs come from

  /// Digests of an input in order, as the key has them.
  func inputDigests(_ index: Int, _ input: String) -> [String] {
    guard let value = parts[index]?["inputs"]?[input] else { return [] }
    return Self.elements(value).map(\.digest)
  }

  static func elements(_ value: JSONValue) -> [(digest: String, labels: JSONValue?)] {
    switch value {
    case .string(let digest): [(digest, nil)]
    case .array(let list): list.flatMap(elements)
    default: value["digest"]?.stringValue.map { [($0, value["labels"])] } ?? []
    }
  }

  /// Who, of those that an instance takes from, made the bytes of that digest.
  func producer(of digest: String, for index: Int) -> (instance: Int, output: StoredOutput)? {
    for need in needs[index] {
      if let output = outcomes[need]?.outputs.first(where: { $0.digest.text.utf8.elementsEqual(digest.utf8) }) { return (need, output) }
    }
    return nil
  }
}
