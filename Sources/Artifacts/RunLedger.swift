import Hashing
import JSONValues

/// What a run's directory says of the results it relied on, as the collector needs it: no states, no words.
struct RunLedger {
  struct Instance {
    let name: String
    var key: Digest?
    /// Its outputs are final: it was cached, or it ran.
    var isDone = false
    /// Outputs that need not be kept once whoever takes them is done.
    let passing: [String]
    let needs: [String]
  }

  private(set) var instances: [Instance] = []

  /// Nil where there is no plan: the run was killed before it had begun, or keeps no account of instances.
  init?(_ path: String, _ files: FileSystem) throws(StoreError) {
    guard let bytes = try files.read(path + "/plan.json"), let plan = try? JSONValue(parsing: bytes) else { return nil }
    var places: [ByteString: Int] = [:]
    for entry in plan["instances"]?.arrayValue ?? [] {
      guard let name = entry["instance"]?.stringValue else { continue }
      places[ByteString(name)] = instances.count
      instances.append(
        Instance(name: name, passing: Self.strings(entry["passing"]), needs: Self.strings(entry["needs"])))
    }
    for event in Self.events(try Self.journal(path, files) ?? []) {
      guard let place = event["instance"]?.stringValue.flatMap({ places[ByteString($0)] }) else { continue }
      if let key = Self.key(event) { instances[place].key = key }
      switch event["kind"]?.stringValue {
      case "judged": instances[place].isDone = event["action"]?.stringValue == "cached"
      case "started", "retry": instances[place].isDone = false
      case "finished": instances[place].isDone = ["cached", "ran"].contains(event["outcome"]?.stringValue ?? "")
      default: break
      }
    }
  }

  /// The names of the outputs of an instance that may go: all who take them are done.
  var spent: [Int: [String]] {
    var waiting: Set<ByteString> = []
    for instance in instances where !instance.isDone { waiting.formUnion(instance.needs.map(ByteString.init)) }
    var spent: [Int: [String]] = [:]
    for (place, instance) in instances.enumerated() where !instance.passing.isEmpty && instance.isDone {
      if !waiting.contains(ByteString(instance.name)) { spent[place] = instance.passing }
    }
    return spent
  }

  // MARK: - Jobs

  /// How long a job may wait for its turn. What was taken back by the queue's own means leaves no word, and is not waited for without end.
  static let longestWaitSeconds = 60.0 * 86_400

  /// Whether a queue may still have jobs of the run: some without a last word, not taken back, and whose key, where it is known, has
  /// no result yet.
  ///
  /// - Parameter now: nanoseconds since 1970, as `wallClock` has them.
  static func awaitsJobs(_ id: String, _ store: Store, now: Int) throws(StoreError) -> Bool {
    let path = "\(store.root)/runs/\(id)/jobs"
    let names = Set(try store.files.list(path) ?? [])
    for name in names where name.hasSuffix(".json") && !name.hasSuffix(".end.json") {
      guard let bytes = try store.files.read("\(path)/\(name)"), let batch = try? JSONValue(parsing: bytes),
        let submitted = batch["submitted"]?.numberValue, Double(now) / 1e9 - submitted < longestWaitSeconds
      else { continue }
      for job in batch["jobs"]?.arrayValue ?? [] {
        guard let index = job["index"]?.integerValue else { continue }
        let word = "\(name.dropLast(5))-\(index)"
        if names.contains(word + ".end.json") || names.contains(word + ".withdrawn") { continue }
        if let key = key(job), job["rerun"]?.boolValue != true, try store.files.exists(store.resultPath(key)) { continue }
        return true
      }
    }
    return false
  }

  // MARK: - Journals

  /// What the run has written down, and then its jobs, each in a file of its own; nil where there is nothing.
  static func journal(_ path: String, _ files: FileSystem) throws(StoreError) -> [UInt8]? {
    guard var journal = try files.read(path + "/journal.jsonl") else { return nil }
    for name in try files.list(path + "/jobs") ?? [] where name.hasSuffix(".jsonl") {
      // A torn line of one does not run into the next.
      journal += [0x0A] + (try files.read("\(path)/jobs/\(name)") ?? [])
    }
    return journal
  }

  /// Every key that a journal names, whatever became of it.
  static func keys(_ journal: [UInt8]) -> [Digest] { events(journal).compactMap(key) }

  /// Of the first line; nil in a journal without one.
  static func recipe(_ journal: [UInt8]) -> String? {
    guard let end = journal.firstIndex(of: 0x0A), let event = try? JSONValue(parsing: Array(journal[..<end])) else { return nil }
    return event["recipe"]?.stringValue
  }

  /// A torn last line is none.
  private static func events(_ journal: [UInt8]) -> [JSONValue] {
    guard let end = journal.lastIndex(of: 0x0A) else { return [] }
    return journal[..<end].split(separator: 0x0A).compactMap { try? JSONValue(parsing: Array($0)) }
  }

  private static func key(_ event: JSONValue) -> Digest? { event["key"]?.stringValue.flatMap(Digest.init) }

  private static func strings(_ value: JSONValue?) -> [String] { (value?.arrayValue ?? []).compactMap(\.stringValue) }
}
