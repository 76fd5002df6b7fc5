import Artifacts
import Hashing
import JSONValues

/// The jobs of a run as its ledger and their files tell of them: for whoever asks about a run from anywhere, and to take jobs back.
package struct RunJobs: Sendable {
  package struct Job: Sendable {
    package let instance: String
    package let executor: String
    /// The run whose directory has its files.
    package let run: String
    package let name: JobName
    package fileprivate(set) var id: QueueJobID?
  }

  /// The last job of each instance, in the order in which they were submitted.
  package private(set) var jobs: [Job] = []
  private let run: String
  private let store: Store
  private var places: [ByteString: Int] = [:]

  /// Nil for a run that has none.
  package init?(run: String, in store: Store) throws(StoreError) {
    guard let bytes = try store.files.read(JobFiles(run: run, in: store).ledgerPath) else { return nil }
    self.run = run
    self.store = store
    var executors: [String: String] = [:]
    for event in Journal.events(bytes) {
      let batch = event["batch"]?.stringValue ?? ""
      switch event["kind"]?.stringValue {
      case "intent":
        executors[batch] = event["executor"]?.stringValue ?? ""
        for job in event["jobs"]?.arrayValue ?? [] {
          guard let instance = job["instance"]?.stringValue, let index = job["index"]?.integerValue else { continue }
          set(Job(instance: instance, executor: executors[batch] ?? "", run: run, name: JobName(batch: batch, index: index)))
        }
      case "submitted":
        for (index, id) in event["ids"]?.objectValue?.members ?? [] {
          guard let index = Int(index), let id = id.stringValue else { continue }
          for place in jobs.indices where jobs[place].name == JobName(batch: batch, index: index) { jobs[place].id = QueueJobID(id) }
        }
      case "adopted":
        guard let instance = event["instance"]?.stringValue, let claim = JobClaim(json: event["claim"]) else { continue }
        let ids = try JobLedger.ids(ofBatch: claim.batch, run: claim.run, store)
        set(
          Job(
            instance: instance, executor: event["executor"]?.stringValue ?? claim.system, run: claim.run, name: claim.name,
            id: ids?[claim.index]))
      default: break
      }
    }
  }

  private mutating func set(_ job: Job) {
    let key = ByteString(job.instance)
    if let place = places[key] {
      jobs[place] = job
    } else {
      places[key] = jobs.count
      jobs.append(job)
    }
  }

  func job(of instance: String) -> Job? { places[ByteString(instance)].map { jobs[$0] } }

  // MARK: - What their files say

  /// What a job wrote down while it lived.
  func events(of job: Job) throws(StoreError) -> [JSONValue] {
    Journal.events(try store.files.read(JobFiles(run: job.run, in: store).journalPath(job.name)) ?? [])
  }

  /// Jobs that have not said their last word.
  package func open() throws(StoreError) -> [Job] {
    var open: [Job] = []
    for job in jobs where try JobFiles(run: job.run, in: store).end(job.name) == nil { open.append(job) }
    return open
  }

  func isWithdrawn(_ job: Job) throws(StoreError) -> Bool {
    try store.files.exists(JobFiles(run: job.run, in: store).withdrawalPath(job.name))
  }

  /// What the job printed itself, where the stage has not written anything.
  package func log(of instance: String) throws(StoreError) -> [UInt8]? {
    guard let job = job(of: instance) else { return nil }
    return try store.files.read(JobFiles(run: job.run, in: store).logPath(job.name))
  }

  // MARK: - Taking back

  /// Asks open jobs of this run's own to stop with a checkpoint and not to begin again; hands back how many.
  package func withdraw(_ queue: (String) throws -> any QueueSystem) throws -> Int {
    var count = 0
    let open = try self.open()
    for executor in Set(open.map(\.executor)).sorted() {
      var own = open.filter { $0.executor == executor && $0.id != nil && $0.run == run }
      guard !own.isEmpty else { continue }
      let system = try queue(executor)
      // What was taken back before it began left no word. Twice: at first sight a queue is not sure of a job that it does not list.
      _ = system.look(own.compactMap(\.id))
      let sights = system.look(own.compactMap(\.id))
      own.removeAll { job in
        if case .ended? = job.id.flatMap({ sights[$0] })?.standing { true } else { false }
      }
      for job in own { try store.files.write([], to: JobFiles(run: job.run, in: store).withdrawalPath(job.name)) }
      if !own.isEmpty { system.cancel(own.compactMap(\.id), .checkpoint) }
      count += own.count
    }
    return count
  }
}
