import Artifacts
import Execution
import Hashing
import Synchronization

/// A remote beside a run: results are looked up there before stages run, and what was computed is published behind the run's back. A remote
/// that fails is left alone from then on, with one notice; the run goes on without it.
package final class RunExchange: ResultExchange {
  package struct Uses: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }
    package static let lookUp = Uses(rawValue: 1)
    package static let publish = Uses(rawValue: 2)
  }

  private struct State {
    var notices: [String] = []
    /// It failed in a way that would come again.
    var isLeftAlone = false
    var waiting: [Digest] = []
    var isPublishing = false
    var published = 0
  }

  private let transfer: Transfer
  private let receiving: ResultReceiving
  private let sending: ResultSending
  private let uses: Uses
  private let state = Mutex(State())
  /// What is waited for at the end of the run.
  package let meter = WorkMeter()

  package init(
    _ remote: any Remote, _ store: Store, on threads: RemoteThreads, _ uses: Uses, jobs: Int = 4, patience: Patience = .duringRuns
  ) {
    transfer = Transfer(remote, store, on: threads, jobs: jobs, patience: patience)
    receiving = ResultReceiving(transfer: transfer)
    sending = ResultSending(transfer: transfer, sendsLogs: false)
    self.uses = uses
  }

  package func notices() -> [String] {
    state.withLock { state in
      defer { state.notices = [] }
      return state.notices
    }
  }

  private func leaveAlone(_ error: any Error) {
    state.withLock { state in
      guard !state.isLeftAlone else { return }
      state.isLeftAlone = true
      state.waiting = []
      state.notices.append("the remote is left alone from now on: \(error)")
    }
  }

  // MARK: - Before a stage

  package func fetch(_ key: Digest, bytes: Bool) -> FetchOutcome {
    guard uses.contains(.lookUp), !state.withLock({ $0.isLeftAlone }) else { return .none }
    do {
      let order = try transfer.threads.wait { [receiving] in try await Self.order(key, bytes, receiving) }
      guard let order else { return .none }
      return try store(order) ? .fetched : .none
    } catch let error as RemoteError where error.kind == .damaged || error.kind == .absent {
      // Of this result it gives nonsense; of others it may not.
      state.withLock { $0.notices.append("\(error)") }
      return .none
    } catch {
      leaveAlone(error)
      return .none
    }
  }

  private static func order(
    _ key: Digest, _ bytes: Bool, _ receiving: ResultReceiving
  ) async throws -> (order: ResultReceiving.Order, pending: PendingWrites)? {
    guard let document = try await receiving.document(key) else { return nil }
    // Bytes that nobody pushed are computed here.
    if bytes, document.held.contains(false) { return nil }
    let places = bytes ? Array(document.outcome.outputs.indices) : []
    let order = ResultReceiving.Order(document: document, places: places, wantsLog: false)
    return (order, try await receiving.fetch([order]))
  }

  /// The caller has the key's lock.
  private func store(_ fetched: (order: ResultReceiving.Order, pending: PendingWrites)) throws -> Bool {
    guard case .done(let receipts) = try receiving.publishLocked([fetched.order], fetched.pending) else { return false }
    if receipts.contains(where: \.differs) {
      let name = fetched.order.document.outcome.instance
      state.withLock { $0.notices.append("\(name): this store has other outputs than the remote for the same key") }
    }
    return true
  }

  // MARK: - After a stage

  package func offer(_ key: Digest) {
    guard uses.contains(.publish) else { return }
    let begins = state.withLock { state in
      guard !state.isLeftAlone else { return false }
      state.waiting.append(key)
      defer { state.isPublishing = true }
      return !state.isPublishing
    }
    if begins { Task(executorPreference: transfer.threads) { await self.publish() } }
  }

  private func publish() async {
    while let key = next() {
      do {
        guard let record = try transfer.store.result(key) else { continue }
        let parcel = try sending.parcel(record, outputs: nil)
        _ = try await transfer.upload(parcel.blobs)
        _ = try await sending.deliver(parcel)
        state.withLock { $0.published += 1 }
        meter.add(items: 1)
      } catch { leaveAlone(error) }
    }
  }

  private func next() -> Digest? {
    state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.isPublishing = false
        return nil
      }
      return state.waiting.removeFirst()
    }
  }

  /// Waits until what was offered is published, as long as something moves; returns how many results were.
  package func finish() -> Int {
    let left = state.withLock { $0.waiting.count + ($0.isPublishing ? 1 : 0) }
    if left > 0 { meter.begin("publishing to \(transfer.remote.address)", items: left) }
    _ = try? transfer.threads.wait { [self] in
      while state.withLock({ $0.isPublishing }) { try await Task.sleep(for: .milliseconds(10)) }
      await transfer.remote.close()
    }
    return state.withLock { $0.published }
  }
}

extension Patience {
  /// A run waits less for a remote than somebody who asked for nothing else.
  package static var duringRuns: Patience {
    var patience = Patience()
    patience.tries = 3
    patience.stallSeconds = 30
    return patience
  }
}
