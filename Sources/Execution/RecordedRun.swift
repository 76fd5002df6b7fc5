import Artifacts
import Diagnostics
import Hashing
import JSONValues
import Planning

/// A run as its directory tells it, going on or long over: what it set out to do and what became of each instance.
package struct RecordedRun: Sendable {
  package enum Standing: Sendable, Equatable {
    case running
    /// It ended by itself, with that status.
    case ended(Int)
    /// Killed: it left no last word.
    case broken
  }

  package struct Instance: Sendable {
    package let name: String
    package let path: InstancePath
    package let stage: String
    package let parameters: JSONObject
    /// Of the parameters those that are not what the contract would have them be; nil where the plan does not say (earlier versions).
    package let changed: [String]?
    /// Of each input that takes source files or directories, how the manifest names them, in order.
    package let sources: [String: [String]]
    /// Instances whose outputs it takes.
    package let needs: [String]
    package fileprivate(set) var key: Digest?
    /// `waiting`, `cached`, `running`, `ran`, `failed`, `skipped`, `interrupted`.
    package internal(set) var state = "waiting"
    package fileprivate(set) var reasons: [String] = []
    package fileprivate(set) var seconds: Double?
    /// When its last attempt began and when it was over, seconds since 1970.
    package fileprivate(set) var began: Double?
    package fileprivate(set) var ended: Double?
    package fileprivate(set) var error: String?
    /// The job of a queueing system that it is, as people call it: `slurm job 12`.
    package fileprivate(set) var job: String?
    /// Where its job runs or ran, and what that took by its own account.
    package fileprivate(set) var node: String?
    /// Where it stands in the queue, by the runner's last knowledge.
    package fileprivate(set) var standing: String?
    /// Of a running instance.
    package internal(set) var activity: StageActivity?
  }

  package let id: String
  package let recipe: String
  package let manifest: String
  /// Seconds since 1970.
  package let started: Double
  package let standing: Standing
  /// Its jobs go on without a runner (`run --submit`).
  package let isHandedOver: Bool
  package let seconds: Double?
  /// The recipe's, after `--set` and profiles.
  package let parameters: JSONObject
  package let numerics: String
  package let instances: [Instance]

  package func count(_ state: String) -> Int { instances.count { $0.state == state } }

  init?(id: String, store: Store) throws(StoreError) {
    let path = "\(store.root)/runs/\(id)"
    guard let planBytes = try store.files.read(path + "/plan.json"), let plan = try? JSONValue(parsing: planBytes) else { return nil }
    let journal = Journal.events(try store.files.read(path + "/journal.jsonl") ?? [])
    self.id = id
    recipe = plan["recipe"]?.stringValue ?? ""
    manifest = plan["manifest"]?.stringValue ?? ""
    parameters = plan["parameters"]?.objectValue ?? JSONObject()
    numerics = plan["numerics"]?.stringValue ?? "native"
    started = journal.first?["t"]?.numberValue ?? 0
    let last = journal.last { $0["kind"]?.stringValue == "end" }
    isHandedOver = journal.contains { $0["kind"]?.stringValue == "handed" }
    var told = try Self.told(plan, journal, RunJobs(run: id, in: store))
    if let status = last?["status"]?.integerValue {
      standing = .ended(status)
    } else if isHandedOver {
      Self.skip(&told)
      standing = Self.standing(told)
    } else {
      standing = try Self.isAlive(path, store.files) ? .running : .broken
    }
    let end = isHandedOver && standing != .running ? told.compactMap(\.ended).max() : nil
    seconds = last?["seconds"]?.numberValue ?? end.map { [started] in max(0, $0 - started) }
    instances = Self.finished(told, isOver: standing != .running, store)
  }

  /// A run of elsewhere, of which only the plan is known.
  package init(id: String, plan: JSONValue) {
    self.id = id
    recipe = plan["recipe"]?.stringValue ?? ""
    manifest = plan["manifest"]?.stringValue ?? ""
    parameters = plan["parameters"]?.objectValue ?? JSONObject()
    numerics = plan["numerics"]?.stringValue ?? "native"
    started = 0
    standing = .ended(0)
    isHandedOver = false
    seconds = nil
    instances = (plan["instances"]?.arrayValue ?? []).compactMap(Instance.init(plan:))
  }

  /// Whether somebody runs it now; of one that has ended, no.
  package static func isAlive(_ id: RunID, _ store: Store) throws(StoreError) -> Bool {
    try isAlive("\(store.root)/runs/\(id.text)", store.files)
  }

  /// Whoever runs holds the lock; if it can be had, nobody does.
  static func isAlive(_ path: String, _ files: FileSystem) throws(StoreError) -> Bool {
    guard let lock = try FileLock.attempt(path + "/alive", .exclusive, files) else { return true }
    lock.release()
    return false
  }

  /// What the journal says of instances, and of those that it does not see the end of, their jobs.
  private static func told(_ plan: JSONValue, _ journal: [JSONValue], _ jobs: RunJobs?) throws(StoreError) -> [Instance] {
    var instances = (plan["instances"]?.arrayValue ?? []).compactMap(Instance.init(plan:))
    var places: [ByteString: Int] = [:]
    for (place, instance) in instances.enumerated() { places[ByteString(instance.name)] = place }
    for event in journal {
      guard let name = event["instance"]?.stringValue, let place = places[ByteString(name)] else { continue }
      instances[place].take(event)
    }
    guard let jobs else { return instances }
    for place in instances.indices where ["waiting", "running", "interrupted"].contains(instances[place].state) {
      guard let job = jobs.job(of: instances[place].name) else { continue }
      instances[place].job = "\(job.executor) job \(job.id?.text ?? job.name.batch)"
      for event in try jobs.events(of: job) { instances[place].take(event) }
      if instances[place].state == "waiting", try jobs.isWithdrawn(job) { instances[place].state = "interrupted" }
    }
    return instances
  }

  /// What hangs on an instance that came to nothing is never begun by the queue.
  private static func skip(_ instances: inout [Instance]) {
    var lost: Set<ByteString> = []
    for place in instances.indices {
      if instances[place].state == "waiting", instances[place].needs.contains(where: { lost.contains(ByteString($0)) }) {
        instances[place].state = "skipped"
      }
      if ["failed", "skipped", "interrupted"].contains(instances[place].state) { lost.insert(ByteString(instances[place].name)) }
    }
  }

  /// Of a run that was handed over: nobody is there to say that it has ended.
  private static func standing(_ instances: [Instance]) -> Standing {
    let states = Set(instances.map(\.state))
    if states.contains("waiting") || states.contains("running") { return .running }
    return .ended(states.contains("interrupted") ? 130 : states.contains("failed") || states.contains("skipped") ? 1 : 0)
  }

  private static func finished(_ told: [Instance], isOver: Bool, _ store: Store) -> [Instance] {
    var instances = told
    for place in instances.indices where instances[place].state == "running" {
      if isOver {
        instances[place].state = "interrupted"
      } else if let key = instances[place].key {
        var reader = EventReader(path: store.workDirectory(key).eventsPath)
        if reader.advance() { instances[place].activity = reader.activity }
      }
    }
    return instances
  }
}

extension RecordedRun.Instance {
  fileprivate init?(plan: JSONValue) {
    guard let name = plan["instance"]?.stringValue, let stage = plan["stage"]?.stringValue else { return nil }
    self.name = name
    self.stage = stage
    path = RunPlan.path(plan) ?? InstancePath(stage: InstancePath.Segment(name: name))
    parameters = plan["parameters"]?.objectValue ?? JSONObject()
    changed = plan["changed"]?.arrayValue?.compactMap(\.stringValue)
    sources = Dictionary(
      (plan["sources"]?.objectValue?.members ?? []).map { ($0.key, ($0.value.arrayValue ?? []).compactMap(\.stringValue)) },
      uniquingKeysWith: { first, _ in first })
    needs = (plan["needs"]?.arrayValue ?? []).compactMap(\.stringValue)
  }

  mutating func take(_ event: JSONValue) {
    switch event["kind"]?.stringValue {
    case "judged":
      key = event["key"]?.stringValue.flatMap(Digest.init)
      reasons = (event["reasons"]?.arrayValue ?? []).compactMap(\.stringValue)
      state = event["action"]?.stringValue == "cached" ? "cached" : "waiting"
    case "started":
      state = "running"
      node = event["node"]?.stringValue ?? node
      began = event["t"]?.numberValue
      ended = nil
    case "retry":
      state = "waiting"
      error = event["error"]?.stringValue
    case "finished":
      state = event["outcome"]?.stringValue ?? state
      seconds = event["seconds"]?.numberValue
      if began != nil { ended = event["t"]?.numberValue }
      error = event["error"]?.stringValue
      node = event["node"]?.stringValue ?? node
    case "queued": standing = event["standing"]?.stringValue
    default: break
    }
  }

  package var json: JSONValue {
    var object = JSONObject([("instance", .string(name)), ("stage", .string(stage)), ("state", .string(state))])
    if let key { object.set("key", .string(key.text)) }
    if !reasons.isEmpty { object.set("reasons", .array(reasons.map(JSONValue.string))) }
    if let seconds { object.set("seconds", .number(seconds)) }
    if let error { object.set("error", .string(error)) }
    if let job { object.set("job", .string(job)) }
    if let node { object.set("node", .string(node)) }
    if let activity, activity.of > 0 {
      object.set("done", .integer(activity.done))
      object.set("of", .integer(activity.of))
    }
    if let activity, !activity.metrics.isEmpty { object.set("metrics", .object(activity.metricsObject)) }
    return .object(object)
  }
}

extension RecordedRun {
  package var standingName: String {
    switch standing {
    case .running: "running"
    case .ended(0): "done"
    case .ended(130): "interrupted"
    case .ended: "failed"
    case .broken: "killed"
    }
  }

  /// As `runs --json` lists it.
  package var summary: JSONValue {
    var object = JSONObject([
      ("run", .string(id)), ("recipe", .string(recipe)), ("manifest", .string(manifest)), ("started", .number(started)),
      ("state", .string(standingName)),
    ])
    if let seconds { object.set("seconds", .number(seconds)) }
    for state in ["ran", "cached", "failed", "skipped", "interrupted", "running", "waiting"] where count(state) > 0 {
      object.set(state, .integer(count(state)))
    }
    return .object(object)
  }

  /// As `status --json` prints it.
  package var json: JSONValue {
    guard case .object(var object) = summary else { return summary }
    object.set("instances", .array(instances.map(\.json)))
    return .object(object)
  }

  /// As `status` prints it.
  package var lines: [String] {
    let counts = ["ran", "cached", "failed", "skipped", "interrupted", "running", "waiting"].filter { count($0) > 0 }
    let head =
      "\(id)  \(recipe)  \(standingName)" + (counts.isEmpty ? "" : "  ") + counts.map { "\(count($0)) \($0)" }.joined(separator: ", ")
    return [head]
      + instances.map { instance in
        var text = instance.state + String(repeating: " ", count: max(1, 12 - instance.state.count)) + instance.name
        if let seconds = instance.seconds { text += "  \(DurationText.text(seconds))" }
        if let activity = instance.activity { text += RunningRow.told(activity) }
        if let job = instance.job, ["waiting", "running"].contains(instance.state) {
          text += "  " + (instance.state == "waiting" ? instance.standing ?? job : job + (instance.node.map { " on \($0)" } ?? ""))
        }
        if let error = instance.error { text += "  \(error)" }
        return text
      }
  }
}

/// The lines of a journal; a torn last one is none.
enum Journal {
  static func events(_ bytes: [UInt8]) -> [JSONValue] {
    guard let end = bytes.lastIndex(of: 0x0A) else { return [] }
    return bytes[..<end].split(separator: 0x0A).compactMap { try? JSONValue(parsing: Array($0)) }
  }
}
