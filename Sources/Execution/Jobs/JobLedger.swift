import Artifacts
import Hashing
import JSONValues

/// What a runner writes down about jobs before and after it submits them, so that another can go on with them: `jobs.jsonl` of the run, a
/// file a batch, and a claim on every key. Nothing is submitted that does not stand there, and lasts, before.
struct JobLedger {
  private let store: Store
  let files: JobFiles
  let run: String
  /// Batches are numbered within the run.
  private var count = 0

  init(run: String, in store: Store) {
    self.store = store
    self.run = run
    files = JobFiles(run: run, in: store)
  }

  /// What every job has to know, before the first is submitted.
  func begin(_ origin: RecipeRun.Origin) throws(StoreError) {
    try store.files.makeDirectory(files.jobsDirectory)
    try store.publish(origin.request.json.encodedBytes() + [0x0A], to: files.requestPath)
    try store.publish(origin.capture.json.encodedBytes() + [0x0A], to: files.capturePath)
  }

  /// Unique for ever, for the run is, and says to whoever looks at the queue what it is about: `heirloom-RUN-3-tuned-1e-3-5f2c09ab`, an
  /// instance and the beginning of its key, or `heirloom-RUN-4-scores-x12`, so many of one stage, or `-and-11-more` of several.
  mutating func nextName(for instances: [String], key: Digest?) -> String {
    count += 1
    let start = "heirloom-\(run)-\(count)-"
    if instances.count == 1 { return start + Self.plain(instances[0]) + (key.map { "-" + $0.hex.prefix(8) } ?? "") }
    let stages = instances.map(Self.stage)
    let isOne = stages.allSatisfy { $0 == stages[0] }
    return start + stages[0] + (isOne ? "-x\(stages.count)" : "-and-\(stages.count - 1)-more")
  }

  /// An instance's name without its coordinates.
  private static func stage(_ name: String) -> String {
    var depth = 0
    return plain(
      name.filter { character in
        if character == "[" { depth += 1 }
        defer { if character == "]" { depth -= 1 } }
        return depth == 0
      })
  }

  /// With nothing in it that a file's name, a queue or a shell could take for something else.
  private static func plain(_ name: some StringProtocol) -> String {
    let pieces = name.split { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_")) }
    return String(pieces.joined(separator: "-").prefix(48))
  }

  // MARK: - Before and after

  /// The intent, before the queue is told.
  func intend(_ batch: JobBatch) throws(StoreError) {
    try store.publish(batch.json.encodedBytes() + [0x0A], to: files.batchPath(batch.name))
    let jobs = batch.members.map { member in
      var object = JSONObject([("index", .integer(member.index)), ("instance", .string(member.instance))])
      if let key = member.key { object.set("key", .string(key.text)) }
      return JSONValue.object(object)
    }
    try note(
      [
        ("kind", "intent"), ("batch", .string(batch.name)), ("executor", .string(batch.executor)), ("system", .string(batch.system)),
        ("cluster", .string(batch.cluster)), ("jobs", .array(jobs)),
      ])
  }

  /// The queue's answer: an id for every index.
  func submitted(_ batch: String, _ ids: [Int: String]) throws(StoreError) {
    let pairs = ids.sorted { $0.key < $1.key }.map { (String($0.key), JSONValue.string($0.value)) }
    try note([("kind", "submitted"), ("batch", .string(batch)), ("ids", .object(JSONObject(pairs)))])
  }

  /// A job of another run that this one waits for.
  func adopted(_ claim: JobClaim, instance: String, by executor: String) throws(StoreError) {
    try note([("kind", "adopted"), ("instance", .string(instance)), ("executor", .string(executor)), ("claim", claim.json)])
  }

  /// The queue refused it: it never was.
  func refused(_ batch: String) throws(StoreError) { try note([("kind", "refused"), ("batch", .string(batch))]) }

  private func note(_ members: [(String, JSONValue)]) throws(StoreError) {
    let time = Double(wallClock() / 1_000_000) / 1000
    let line = JSONValue.object(JSONObject([("t", .number(time))] + members)).encodedBytes() + [0x0A]
    try store.files.append(line, to: files.ledgerPath)
    try store.files.syncFile(files.ledgerPath)
  }

  /// The numbers of a batch's jobs by index, as the run that submitted it wrote them down; nil while there is no answer.
  static func ids(ofBatch batch: String, run: String, _ store: Store) throws(StoreError) -> [Int: QueueJobID]? {
    let lines = Journal.events(try store.files.read(JobFiles(run: run, in: store).ledgerPath) ?? [])
    let answer = lines.last { $0["kind"]?.stringValue == "submitted" && $0["batch"]?.stringValue == batch }
    guard let members = answer?["ids"]?.objectValue?.members else { return nil }
    var ids: [Int: QueueJobID] = [:]
    for (index, id) in members { if let index = Int(index), let id = id.stringValue { ids[index] = QueueJobID(id) } }
    return ids
  }

  // MARK: - Claims

  /// Held by a runner while it looks whose jobs there are and claims keys for its own.
  static func lock(_ store: Store) throws(StoreError) -> FileLock { try FileLock.wait(store.root + "/locks/jobs", .exclusive, store.files) }

  static func claim(on key: Digest, _ store: Store) throws(StoreError) -> JobClaim? {
    guard let bytes = try store.files.read(store.workDirectory(key).claimPath) else { return nil }
    return (try? JSONValue(parsing: bytes)).flatMap(JobClaim.init(json:))
  }

  static func claim(_ key: Digest, _ claim: JobClaim, _ store: Store) throws(StoreError) {
    let work = store.workDirectory(key)
    try store.files.makeDirectory(work.path)
    try store.publish(claim.json.encodedBytes() + [0x0A], to: work.claimPath)
  }

  /// Gives a key up, unless another job has claimed it since.
  static func release(_ key: Digest, _ name: JobName, _ store: Store) throws(StoreError) {
    guard try claim(on: key, store)?.name == name else { return }
    try store.files.remove(store.workDirectory(key).claimPath)
  }
}
