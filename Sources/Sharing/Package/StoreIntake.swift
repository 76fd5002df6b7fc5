import Artifacts
import Execution
import Hashing
import JSONValues
import Synchronization

/// Artifacts of an exported recipe on their way into a store: first into a directory of the store's own that its collector knows as
/// unfinished, and from there, all checked, to where they belong: objects, then results. A store that is not there yet is made when all is
/// checked; until then they lie beside the place where it will be.
final class StoreIntake {
  private let storePath: String
  private let files: FileSystem
  private var staging: String?

  init(_ storePath: String, _ files: FileSystem) {
    self.storePath = storePath
    self.files = files
  }

  func discard() {
    if let staging { try? files.remove(staging) }
  }

  /// Where an entry is to be unpacked.
  func path(for entry: RecipeDocument.Entry) throws(StoreError) -> String {
    if let staging { return "\(staging)/\(entry.path.text)" }
    let isThere = try files.exists(storePath + "/format")
    // On the file system that the store will be on, so that adopting is a rename.
    let place = isThere ? try Store.open(storePath, files: files).root + "/incoming/import" : try files.nearest(to: storePath) + "/.import"
    let directory = place + ArchiveExport.temporarySuffix()
    try files.makeDirectory(directory)
    staging = directory
    return "\(directory)/\(entry.path.text)"
  }

  private func entries<T>(_ document: RecipeDocument, _ pick: (RecipeDocument.Place) -> T?) -> [(T, RecipeDocument.Entry)] {
    document.entries.compactMap { entry in
      guard let place = try? RecipeDocument.place(of: entry.path), let picked = pick(place) else { return nil }
      return (picked, entry)
    }
  }

  private func results(_ document: RecipeDocument) throws -> [ResultRecord] {
    try entries(document) { if case .result(let key) = $0 { key } else { nil } }.map { key, entry in
      try record(key, path(for: entry), entry.path.text)
    }
  }

  private func objects(_ document: RecipeDocument) -> [(Digest, RecipeDocument.Entry)] {
    entries(document) { if case .object(let digest) = $0 { digest } else { nil } }
  }

  // MARK: - Checking

  /// A result says what its key is made of, and that is what the key is the digest of; a directory's listing has the sizes it says.
  func check(_ document: RecipeDocument) throws {
    let sizes = Dictionary(objects(document).map { ($0.0, $0.1) }, uniquingKeysWith: { first, _ in first })
    for record in try results(document) {
      for output in record.answer.outputs {
        guard let entry = sizes[output.digest] else { continue }
        guard output.isDirectory else {
          if entry.size != output.size { throw SharingError("is not as large as the result of \(record.key) says", at: entry.path.text) }
          continue
        }
        guard let bytes = try files.read(path(for: entry)), let listing = TreeListing(bytes: bytes), listing.bytes == bytes else {
          throw SharingError("is to list a directory, and does not", at: entry.path.text)
        }
        guard listing.size == output.size else {
          throw SharingError("lists other sizes than the result of \(record.key) says", at: entry.path.text)
        }
        for file in listing.files {
          if let object = sizes[file.digest], object.size != file.size {
            throw SharingError("is not as large as a directory's listing says", at: object.path.text)
          }
          _ = try EntryPath(file.path)
        }
      }
    }
  }

  private func record(_ key: Digest, _ path: String, _ name: String) throws -> ResultRecord {
    guard let bytes = try files.read(path), let record = (try? JSONValue(parsing: bytes)).flatMap(ResultRecord.init(json:)) else {
      throw SharingError("is no result", at: name)
    }
    guard record.key == key, CanonicalJSON.digest(record.parts) == key, record.parts["stage"]?.stringValue == record.stage else {
      throw SharingError("is the result of another key than its name says", at: name)
    }
    guard record.outcomes.count == 1 else { throw SharingError("has more than one outcome", at: name) }
    for output in record.answer.outputs {
      guard (try? EntryPath(output.name)) != nil, !output.name.utf8.contains(UInt8(ascii: "/")), output.size >= 0 else {
        throw SharingError("names an output that cannot be", at: name)
      }
    }
    return record
  }

  // MARK: - Taking in

  /// Inside the gate, so that the collector removes nothing of it before a result speaks of it.
  ///
  /// - Parameter isWanted: of which keys results are taken in; objects all are.
  func takeIn(_ document: RecipeDocument, _ outcome: inout RecipeImport.Outcome, isWanted: (Digest) -> Bool = { _ in true }) throws {
    guard staging != nil else { return }
    let store = try Store.open(storePath, files: files)
    try store.gate.enter()
    defer { store.gate.leave() }
    var pending = PendingWrites()
    for (digest, entry) in objects(document) {
      try store.adopt(path(for: entry), digest: digest, size: entry.size, &pending)
      outcome.objects += 1
    }
    let committer = ResultCommitter(store)
    let failure = Mutex<StoreError?>(nil)
    for record in try results(document) where isWanted(record.key) {
      guard try publish(record, store, &pending, committer, { error in failure.withLock { $0 = error } }) else {
        outcome.passedOver.append(record.answer.instance)
        continue
      }
      outcome.results += 1
      // The objects are made to last with the first result; those after it are handed over in order.
      pending = PendingWrites()
    }
    try committer.drain()
    if let error = failure.withLock({ $0 }) { throw error }
  }

  /// False where a run has the key, or it has given something else before.
  private func publish(
    _ record: ResultRecord, _ store: Store, _ pending: inout PendingWrites, _ committer: ResultCommitter,
    _ failed: @escaping @Sendable (StoreError) -> Void
  ) throws(StoreError) -> Bool {
    guard case .held(let lock) = try store.lock(record.key, owner: LockOwner(run: "import", instance: record.answer.instance)) else {
      return false
    }
    if let known = try store.result(record.key), known.answer.outputs != record.answer.outputs {
      lock.release()
      return false
    }
    let prepared: Store.Prepared
    do throws(StoreError) {
      prepared = try store.prepare(
        key: record.key, stage: record.stage, parts: record.parts, outcome: record.answer, .keepsFirst, &pending)
    } catch {
      lock.release()
      throw error
    }
    committer.submit(
      ResultCommitter.Order(prepared, pending) { result in
        if case .failure(let error) = result { failed(error) }
        lock.release()
      })
    return true
  }
}
