import Artifacts
import Hashing
import Planning
import Synchronization

/// Asks another place for results while the run goes on: an instance that would have to run is judged again when the answer is there. It
/// does not know what an answer leads to.
final class ResultLookups: Sendable {
  private struct Question: Sendable {
    let index: Int
    let key: Digest
    /// The outputs themselves, or the record of them alone.
    let bytes: Bool
  }

  private struct State {
    var waiting: [Question] = []
    var threads = 0
    var answered: [Int] = []
    var asked: Set<String> = []
  }

  private let exchange: any ResultExchange
  private let store: Store
  private let pipe: WakePipe
  private let state = Mutex(State())

  /// Most of the time of an answer is the way to it and back, so it takes more of them than there are processors.
  private static let threads = 16

  init(_ exchange: any ResultExchange, _ store: Store, _ pipe: WakePipe) {
    self.exchange = exchange
    self.store = store
    self.pipe = pipe
  }

  /// False when the same has been asked before: then the answer is what the store says now.
  func ask(_ index: Int, _ key: Digest, bytes: Bool) -> Bool {
    let (isNew, starts) = state.withLock { state -> (Bool, Bool) in
      guard state.asked.insert("\(index) \(key.hex) \(bytes)").inserted else { return (false, false) }
      state.waiting.append(Question(index: index, key: key, bytes: bytes))
      guard state.threads < Self.threads else { return (true, false) }
      state.threads += 1
      return (true, true)
    }
    if starts { startThread { self.work() } }
    return isNew
  }

  /// Instances whose answer has come since the last time.
  func answered() -> [Int] {
    state.withLock { state in
      defer { state.answered = [] }
      return state.answered
    }
  }

  private func work() {
    while let question = next() {
      look(question)
      state.withLock { $0.answered.append(question.index) }
      pipe.wake(.message)
    }
  }

  private func next() -> Question? {
    state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.threads -= 1
        return nil
      }
      return state.waiting.removeFirst()
    }
  }

  /// Whoever has the lock computes it already; the instance will wait for that.
  private func look(_ question: Question) {
    guard let lock = try? FileLock.attempt(store.lockPath(question.key), .exclusive, store.files) else { return }
    defer { lock.release() }
    _ = exchange.fetch(question.key, bytes: question.bytes)
  }
}
