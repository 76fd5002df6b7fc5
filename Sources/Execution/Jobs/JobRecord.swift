import Artifacts
import JSONValues

/// What a job writes down while it lives, in the form of a run's journal: so whoever asks about the run finds it there, also when no
/// runner is left. Each start of the job adds to it.
struct JobRecord {
  private let files: JobFiles
  private let name: JobName
  let starts: Int

  /// Notes that the job begins, for the first time or once more.
  init(_ files: JobFiles, _ name: JobName, job: String?) throws(StoreError) {
    self.files = files
    self.name = name
    let before = Journal.events(try files.files.read(files.journalPath(name)) ?? [])
    starts = 1 + before.count { $0["kind"]?.stringValue == "job" }
    var members: [(String, JSONValue)] = [
      ("start", .integer(starts)), ("node", .string(ProcessIdentity.hostName)), ("process", ProcessIdentity.current.json),
    ]
    if let job { members.append(("job", .string(job))) }
    try note("job", members)
  }

  func note(_ kind: String, _ members: [(String, JSONValue)]) throws(StoreError) {
    let time = Double(wallClock() / 1_000_000) / 1000
    let event = JSONValue.object(JSONObject([("t", .number(time)), ("kind", .string(kind))] + members))
    try files.files.append(event.encodedBytes() + [0x0A], to: files.journalPath(name))
  }

  /// The last word.
  func end(_ end: JobEnd, in store: Store) throws(StoreError) {
    try store.publish(end.json.encodedBytes() + [0x0A], to: files.endPath(name))
  }
}
