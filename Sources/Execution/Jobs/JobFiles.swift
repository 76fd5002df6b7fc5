import Artifacts
import Hashing
import JSONValues

/// Where a run keeps what it has to do with jobs: `runs/<id>/` with `request.json`, `capture.json`, `jobs.jsonl`, and `jobs/` with a file
/// a batch, and for each of its jobs a journal, what the queue's script prints, and in the end what became of it.
package struct JobFiles: Sendable {
  /// `runs/<id>`
  package let directory: String
  let files: FileSystem

  package init(run: String, in store: Store) {
    directory = "\(store.root)/runs/\(run)"
    files = store.files
  }

  var requestPath: String { directory + "/request.json" }
  var capturePath: String { directory + "/capture.json" }
  var ledgerPath: String { directory + "/jobs.jsonl" }
  package var jobsDirectory: String { directory + "/jobs" }
  func batchPath(_ batch: String) -> String { "\(jobsDirectory)/\(batch).json" }
  static func endName(_ job: JobName) -> String { "\(job.batch)-\(job.index).end.json" }
  func endPath(_ job: JobName) -> String { "\(jobsDirectory)/\(Self.endName(job))" }
  func journalPath(_ job: JobName) -> String { "\(jobsDirectory)/\(job.batch)-\(job.index).jsonl" }
  package func logPath(_ job: JobName) -> String { "\(jobsDirectory)/\(job.batch)-\(job.index).log" }
  /// Its presence tells a job that is asked to stop that it is not to begin again.
  func withdrawalPath(_ job: JobName) -> String { "\(jobsDirectory)/\(job.batch)-\(job.index).withdrawn" }

  /// The root of the store, and the run, of a batch's file; nil for a path that is none.
  static func place(ofBatch path: String) -> (root: String, run: String, batch: String)? {
    var parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count > 4, let file = parts.popLast(), file.hasSuffix(".json"), parts.popLast() == "jobs", let run = parts.popLast(),
      parts.popLast() == "runs"
    else { return nil }
    return (parts.joined(separator: "/"), String(run), String(file.dropLast(5)))
  }

  func end(_ job: JobName) throws(StoreError) -> JobEnd? {
    guard let bytes = try files.read(endPath(job)) else { return nil }
    return (try? JSONValue(parsing: bytes)).flatMap(JobEnd.init(json:))
  }

  /// For the time of a batch's submission; the queue's own programs hold it, too, and may outlive who called them. Nil while it is taken.
  package func submissionLock(_ batch: String) throws(StoreError) -> FileLock? { try FileLock.attempt(batchPath(batch), .exclusive, files) }

  /// Whether a batch may yet come to be known to the queue.
  func isBeingSubmitted(_ batch: String) throws(StoreError) -> Bool {
    guard try files.status(batchPath(batch), followingLinks: false) != nil else { return false }
    guard let lock = try submissionLock(batch) else { return true }
    lock.release()
    return false
  }

  func json(_ path: String) throws(StoreError) -> JSONValue? { try files.read(path).flatMap { try? JSONValue(parsing: $0) } }
}

/// Which job of a run's: unique for ever, and known before the queue has given it a number.
package struct JobName: Hashable, Sendable {
  package let batch: String
  package let index: Int
}

/// `work/<key>/job.json`: the job that computes a key, or is going to. Written before it is submitted, so that whoever wants the key after
/// its runner has died finds the job and does not submit another. The job gives it up; its number is in the ledger of its run.
struct JobClaim: Sendable, Equatable {
  let system: String
  let cluster: String
  let run: String
  let batch: String
  let index: Int
  /// Who submits it.
  let runner: ProcessIdentity

  var name: JobName { JobName(batch: batch, index: index) }

  var json: JSONValue {
    [
      "system": .string(system), "cluster": .string(cluster), "run": .string(run), "batch": .string(batch), "index": .integer(index),
      "runner": runner.json,
    ]
  }

  init(system: String, cluster: String, run: String, name: JobName, runner: ProcessIdentity = .current) {
    self.system = system
    self.cluster = cluster
    self.run = run
    batch = name.batch
    index = name.index
    self.runner = runner
  }

  /// Nil for what is no claim; the stage could write to the file, so nothing in it is believed that would lead out of the store.
  init?(json: JSONValue?) {
    guard let json, let system = json["system"]?.stringValue, let cluster = json["cluster"]?.stringValue,
      let run = json["run"]?.stringValue, let batch = json["batch"]?.stringValue, let index = json["index"]?.integerValue,
      let runner = ProcessIdentity(json: json["runner"]), RunID(run) != nil, batch.hasPrefix("heirloom-\(run)-"), !batch.contains("/")
    else { return nil }
    self.init(
      system: system, cluster: cluster, run: run, name: JobName(batch: batch, index: index), runner: runner)
  }
}
