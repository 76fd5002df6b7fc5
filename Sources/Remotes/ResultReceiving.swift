import Artifacts
import Execution
import Glibc
import Hashing
import JSONValues
import Synchronization

/// Takes results of a remote into the store: what speaks of them is read strictly, their bytes come first, and a result appears when all
/// that is wanted of it is here.
struct ResultReceiving: Sendable {
  let transfer: Transfer

  private var store: Store { transfer.store }

  /// A result, and the places of the outputs whose bytes are wanted.
  struct Order: Sendable {
    let document: ResultDocument
    let places: [Int]
    let wantsLog: Bool

    var outputs: [StoredOutput] { places.map { document.outcome.outputs[$0] } }
  }

  /// Nil when the remote has no result of that key.
  func document(_ key: Digest) async throws -> ResultDocument? {
    let address = transfer.remote.address
    guard let bytes = try await transfer.document(.result(key), limit: RemoteLimits.resultBytes) else { return nil }
    return try ResultDocument(bytes, key: key, from: address)
  }

  // MARK: - Bytes

  /// Brings the bytes: of directories their listings first, which say what more there is.
  func fetch(_ orders: [Order]) async throws -> PendingWrites {
    var roots: [Blob] = []
    var directories: [Digest: StoredOutput] = [:]
    for order in orders {
      for place in order.places {
        let output = order.document.outcome.outputs[place]
        guard try !store.holds(output) else { continue }
        roots.append(order.document.root(place))
        if output.isDirectory { directories[output.digest] = output }
      }
      if order.wantsLog, let log = order.document.log, try !store.hasObject(log.digest) { roots.append(log) }
    }
    let isListing = { (blob: Blob) in directories[blob.digest] != nil }
    var pending = try await transfer.download(roots.filter(isListing))
    var files = roots.filter { !isListing($0) }
    for output in directories.values.sorted(by: { $0.digest < $1.digest }) {
      files += ResultDocument.files(try listing(output), of: output)
    }
    pending.add(try await transfer.download(files))
    return pending
  }

  /// A listing that is refused goes again: nothing speaks of it.
  private func listing(_ output: StoredOutput) throws -> TreeListing {
    guard let bytes = try store.object(output.digest) else {
      throw StoreError("vanished as it was pulled", path: store.objectPath(output.digest))
    }
    do { return try StrictListing.read(bytes, of: output, from: transfer.remote.address) } catch {
      try store.files.remove(store.objectPath(output.digest))
      throw error
    }
  }

  // MARK: - Results

  /// How a result was taken in.
  struct Receipt: Sendable {
    let summary: ResultSummary
    /// The answer that is here has other bytes, and goes on answering.
    let differs: Bool
  }

  enum Publishing: Sendable {
    case done([Receipt])
    /// The collector was faster: once more.
    case gone
    case busy(ResultDocument)
  }

  /// So many appear together.
  static let batch = 64

  /// Makes results appear whose bytes have come; takes their keys' locks, which are held for moments by others who pull, and as long as
  /// a stage runs by those who compute.
  func publish(_ orders: [Order], _ pending: PendingWrites) throws -> Publishing {
    var locks: [FileLock] = []
    defer { for lock in locks { lock.release() } }
    for order in orders {
      guard let lock = try lock(order.document) else { return .busy(order.document) }
      locks.append(lock)
    }
    return try publishLocked(orders, pending)
  }

  private func lock(_ document: ResultDocument) throws -> FileLock? {
    for _ in 0..<200 {
      if case .held(let lock) = try store.lock(document.key, owner: LockOwner(run: "pull", instance: document.outcome.instance)) {
        return lock
      }
      usleep(10_000)
    }
    return nil
  }

  /// The caller has the keys' locks.
  func publishLocked(_ orders: [Order], _ pending: PendingWrites) throws -> Publishing {
    try store.gate.enter()
    defer { store.gate.leave() }
    for order in orders {
      for output in order.outputs where try !store.holds(output) { return .gone }
    }
    var pending = pending
    var prepared: [Store.Prepared] = []
    for order in orders { prepared.append(try prepare(order, &pending)) }
    let publications = try store.publish(prepared, pending)
    return .done(
      zip(orders, publications).map { order, publication in
        Receipt(
          summary: ResultSummary(publication.record), differs: publication.record.answer.outputs != order.document.outcome.outputs)
      })
  }

  /// The first answers as long as its bytes are here.
  private func prepare(_ order: Order, _ pending: inout PendingWrites) throws(StoreError) -> Store.Prepared {
    var answering = ResultRecord.Answering.keepsFirst
    if !order.places.isEmpty, let known = try store.results.summary(order.document.key) {
      for output in known.outputs where try !store.holds(output) { answering = .becomesCurrent }
    }
    let document = order.document
    return try store.prepare(
      key: document.key, stage: document.stage, parts: document.parts, outcome: document.outcome, answering, &pending)
  }
}
