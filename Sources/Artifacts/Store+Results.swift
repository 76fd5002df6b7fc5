import Hashing
import JSONValues

extension Store {
  /// What publishing a result came to.
  package struct Publication: Sendable {
    package let record: ResultRecord
    /// Nil when this is the first result of its key.
    package let novelty: ResultRecord.Novelty?
  }

  /// The whole record of a key; nil when it has no result.
  package func result(_ key: Digest) throws(StoreError) -> ResultRecord? { try ResultIndex.record(key, root: root, files: files) }

  /// Makes a result appear after its objects last. The caller holds the key's lock.
  package func publish(
    key: Digest, stage: String, parts: JSONValue, outcome: ResultOutcome, _ answering: ResultRecord.Answering, _ pending: inout PendingNames
  ) throws(StoreError) -> Publication {
    try pending.sync(files)
    var novelty: ResultRecord.Novelty?
    var record = ResultRecord(key: key, stage: stage, parts: parts, outcome: outcome)
    if var known = try result(key) {
      novelty = known.note(outcome, answering)
      if known == record || (novelty == .same) { return Publication(record: known, novelty: novelty) }
      record = known
    }
    let path = resultPath(key)
    let temporary = path + Self.temporarySuffix()
    do {
      try files.write(record.json.encodedBytes(), to: temporary, .lasting)
      if let status = try files.status(temporary) { try results.note(record, status) }
      try files.rename(temporary, to: path)
      try files.syncDirectory(Self.parent(of: path))
    } catch {
      try? files.remove(temporary)
      throw error
    }
    return Publication(record: record, novelty: novelty)
  }
}
