import Artifacts
import JSONValues

extension StageAttempt {
  /// What came of doing the work once more.
  struct Rehearsal {
    let outputs: [StoredOutput]
    /// What could have changed the bytes but is not in the key.
    let host: JSONObject
    let seconds: Double
  }

  /// Does the work in a directory that is no key's, and stores nothing. `lock` is handed to the processes, as a key's lock would be.
  func rehearse(in work: WorkDirectory, _ lock: FileLock) throws -> Rehearsal {
    try work.prepare(.forgotten)
    let order = self.order(work)
    try store.files.write(order.json.encodedBytes(pretty: true) + [0x0A], to: work.orderPath)
    let before = try lookAtInputs()
    let started = monotonicSeconds()
    let end = try execute(order, work, lock, objects: before.map(\.path))
    let seconds = monotonicSeconds() - started
    guard end == .exited(0) else {
      throw StageProblem(end.description, logTail: LogTail.lines(of: work.logPath, store.files))
    }
    try compareInputs(before)
    let host = facts(try StageActivity(reading: work.eventsPath, store.files))
    return Rehearsal(outputs: try examineOutputs(work).map(\.output), host: host, seconds: seconds)
  }
}
