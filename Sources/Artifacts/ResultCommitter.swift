import Glibc

/// Publishes results, several at once: what they speak of is made to last together, then they appear.
///
/// A thread of its own takes whatever has been handed over since it last looked, and waits a moment for more where more may come, so a
/// thousand small stages need a few syncs where each would need several. A result that stands alone is published as `Store.publish` does it.
/// Nothing of a result is seen before its objects last; the names of the last batch last when `drain` returns.
///
/// `@unchecked Sendable`: every field is guarded by `mutex`.
package final class ResultCommitter: @unchecked Sendable {
  package struct Order: Sendable {
    let prepared: Store.Prepared
    let pending: PendingWrites
    /// Called on the committer's thread when the result is there, or cannot be.
    let done: @Sendable (Result<Store.Publication, StoreError>) -> Void

    package init(
      _ prepared: Store.Prepared, _ pending: PendingWrites, done: @escaping @Sendable (Result<Store.Publication, StoreError>) -> Void
    ) {
      self.prepared = prepared
      self.pending = pending
      self.done = done
    }
  }

  private let store: Store
  private var mutex = pthread_mutex_t()
  private var changed = pthread_cond_t()
  private var orders: [Order] = []
  private var isRunning = false
  private var isBusy = false
  private var expectsMore = false
  /// Names that were given since the last sync.
  private var owed = PendingWrites()
  private var failure: StoreError?

  package init(_ store: Store) {
    self.store = store
    pthread_mutex_init(&mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(&changed, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(&changed)
    pthread_mutex_destroy(&mutex)
  }

  /// So many wait at most; who comes then waits with them.
  private static let most = 256

  /// Hands a result over. Returns at once, unless very many wait.
  package func submit(_ order: Order) {
    pthread_mutex_lock(&mutex)
    while orders.count >= Self.most { pthread_cond_wait(&changed, &mutex) }
    orders.append(order)
    let starts = !isRunning
    isRunning = true
    pthread_cond_broadcast(&changed)
    pthread_mutex_unlock(&mutex)
    if starts { startThread { self.work() } }
  }

  /// A batch waits so long for others, and for so many.
  private static let patienceNanoseconds = 10_000_000
  private static let enough = 24

  /// Whether as many stages run as may, so that a moment's waiting keeps nobody from anything and may save a sync. At first it is false.
  package func expect(more: Bool) {
    pthread_mutex_lock(&mutex)
    if expectsMore != more {
      expectsMore = more
      pthread_cond_broadcast(&changed)
    }
    pthread_mutex_unlock(&mutex)
  }

  /// With the mutex held and a first order there.
  private func waitForMore() {
    var deadline = timespec()
    clock_gettime(CLOCK_MONOTONIC, &deadline)
    deadline.tv_nsec += Self.patienceNanoseconds
    if deadline.tv_nsec >= 1_000_000_000 {
      deadline.tv_nsec -= 1_000_000_000
      deadline.tv_sec += 1
    }
    while expectsMore, orders.count < Self.enough, pthread_cond_timedwait(&changed, &mutex, &deadline) == 0 {}
  }

  /// Returns when everything handed over is published and lasts. The thread ends; a later `submit` starts another.
  package func drain() throws(StoreError) {
    pthread_mutex_lock(&mutex)
    expectsMore = false
    pthread_cond_broadcast(&changed)
    while isBusy || !orders.isEmpty { pthread_cond_wait(&changed, &mutex) }
    let owed = self.owed
    let failure = self.failure
    self.owed = PendingWrites()
    self.failure = nil
    pthread_mutex_unlock(&mutex)
    if let failure { throw failure }
    try owed.sync(store.files, root: store.root)
  }

  /// One batch after the other, until there is none.
  private func work() {
    while true {
      pthread_mutex_lock(&mutex)
      guard !orders.isEmpty else {
        isRunning = false
        pthread_cond_broadcast(&changed)
        pthread_mutex_unlock(&mutex)
        return
      }
      waitForMore()
      let batch = orders
      let owed = self.owed
      orders = []
      self.owed = PendingWrites()
      isBusy = true
      pthread_cond_broadcast(&changed)
      pthread_mutex_unlock(&mutex)
      let left = publish(batch, owed)
      pthread_mutex_lock(&mutex)
      self.owed.add(left)
      isBusy = false
      pthread_cond_broadcast(&changed)
      pthread_mutex_unlock(&mutex)
    }
  }

  /// Hands back which names still have to be made to last.
  private func publish(_ batch: [Order], _ owed: PendingWrites) -> PendingWrites {
    var pending = owed
    for order in batch { pending.add(order.pending) }
    do { try pending.sync(store.files, root: store.root) } catch {
      for order in batch {
        store.abandon(order.prepared)
        order.done(.failure(error))
      }
      return owed
    }
    var left = PendingWrites()
    for order in batch {
      do throws(StoreError) {
        let publication = try store.finish(order.prepared)
        if let directory = order.prepared.directory { left.add(directory: directory) }
        order.done(.success(publication))
      } catch { order.done(.failure(error)) }
    }
    return left
  }
}
