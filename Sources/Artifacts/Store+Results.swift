import Hashing
import JSONValues

extension Store {
  /// What publishing a result came to.
  package struct Publication: Sendable {
    package let record: ResultRecord
    /// Nil when this is the first result of its key.
    package let novelty: ResultRecord.Novelty?
  }

  /// A result that is written and not yet seen.
  package struct Prepared: Sendable {
    let publication: Publication
    /// The file that is to be renamed, and how it looks; nil when the result is there as it is.
    fileprivate let temporary: (path: String, status: FileStatus)?
    fileprivate let path: String

    /// Where its name will be; nil when no name changes.
    var directory: String? { temporary == nil ? nil : Store.parent(of: path) }
  }

  /// The whole record of a key; nil when it has no result.
  package func result(_ key: Digest) throws(StoreError) -> ResultRecord? { try ResultIndex.record(key, root: root, files: files) }

  /// Makes a result appear after its objects last. The caller holds the key's lock.
  package func publish(
    key: Digest, stage: String, parts: JSONValue, outcome: ResultOutcome, _ answering: ResultRecord.Answering,
    _ pending: inout PendingWrites
  ) throws(StoreError) -> Publication {
    let prepared = try prepare(key: key, stage: stage, parts: parts, outcome: outcome, answering, &pending)
    do { try pending.sync(files, root: root) } catch {
      abandon(prepared)
      throw error
    }
    let publication = try finish(prepared)
    if let directory = prepared.directory { try files.syncDirectory(directory) }
    return publication
  }

  /// Makes several prepared results appear after all that they speak of lasts. The caller holds their keys' locks.
  package func publish(_ prepared: [Prepared], _ pending: PendingWrites) throws(StoreError) -> [Publication] {
    do { try pending.sync(files, root: root) } catch {
      for one in prepared { abandon(one) }
      throw error
    }
    var publications: [Publication] = []
    for one in prepared { publications.append(try finish(one)) }
    for directory in Set(prepared.compactMap(\.directory)).sorted() { try files.syncDirectory(directory) }
    return publications
  }

  /// Writes a result beside its place. What has to last before it may appear is added to `pending`. The caller holds the key's lock, and
  /// keeps it until the result has been finished or abandoned.
  package func prepare(
    key: Digest, stage: String, parts: JSONValue, outcome: ResultOutcome, _ answering: ResultRecord.Answering,
    _ pending: inout PendingWrites
  ) throws(StoreError) -> Prepared {
    var novelty: ResultRecord.Novelty?
    var record = ResultRecord(key: key, stage: stage, parts: parts, outcome: outcome)
    let path = resultPath(key)
    if var known = try result(key) {
      let before = known
      novelty = known.note(outcome, answering)
      if known == before { return Prepared(publication: Publication(record: known, novelty: novelty), temporary: nil, path: path) }
      record = known
    }
    let temporary = path + Self.temporarySuffix()
    do throws(StoreError) {
      try files.write(record.json.encodedBytes(), to: temporary)
      guard let status = try files.status(temporary) else { throw StoreError("vanished as it was written", path: temporary) }
      pending.add(file: temporary)
      return Prepared(publication: Publication(record: record, novelty: novelty), temporary: (temporary, status), path: path)
    } catch {
      try? files.remove(temporary)
      throw error
    }
  }

  /// Makes a prepared result appear; what it speaks of lasts.
  func finish(_ prepared: Prepared) throws(StoreError) -> Publication {
    guard let (temporary, status) = prepared.temporary else { return prepared.publication }
    do {
      try results.note(prepared.publication.record, status)
      try files.rename(temporary, to: prepared.path)
    } catch {
      try? files.remove(temporary)
      throw error
    }
    return prepared.publication
  }

  func abandon(_ prepared: Prepared) {
    if let temporary = prepared.temporary { try? files.remove(temporary.path) }
  }
}
