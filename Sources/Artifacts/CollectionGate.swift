import Glibc
import Synchronization

/// Stands between those who rely on what lies in a store and the one who removes from it.
///
/// Whoever looks whether bytes are there in order to use them, or takes bytes in because they are there already, does so *inside* the
/// gate, and before leaving it writes down that they are needed: in its run's journal (`RunDirectory.flush`), as a result, or as a pin.
/// The collector removes only while the gate is closed, which it can be only when nobody is inside, and before it removes anything it
/// looks again at what has been written down. So what somebody saw is still there when it is used, or he saw that it was gone.
///
/// Being inside is for moments: to judge a batch of instances, to publish a result. A queue in front of the gate keeps those who come and
/// go from keeping the collector out for ever: it stops new ones for as long as it waits for those inside, a fifth of a second at most,
/// and then lets everybody pass before it tries again.
package final class CollectionGate: Sendable {
  private struct State {
    /// So many of this process's threads are inside, on one lock between them.
    var count = 0
    var lock: FileLock?
    /// The collector's: of the queue, and of the gate.
    var closed: (turn: FileLock, lock: FileLock)?
  }

  private let gatePath: String
  private let queuePath: String
  private let files: FileSystem
  private let state = Mutex(State())

  private static let pollMicroseconds: UInt32 = 2_000
  private static let polls = 100

  init(root: String, files: FileSystem) {
    gatePath = root + "/locks/gate"
    queuePath = root + "/locks/gate-queue"
    self.files = files
  }

  // MARK: - For those who rely on bytes

  /// Does `body` inside the gate. Waits while the collector removes, which takes moments.
  package func inside<R>(_ body: () throws(StoreError) -> R) throws(StoreError) -> R {
    try enter()
    defer { leave() }
    return try body()
  }

  /// Once for each `leave`.
  package func enter() throws(StoreError) {
    let turn = try FileLock.wait(queuePath, .shared, files)
    defer { turn.release() }
    try state.withLock { (state) throws(StoreError) in
      if state.count == 0 { state.lock = try FileLock.wait(gatePath, .shared, files) }
      state.count += 1
    }
  }

  package func leave() {
    state.withLock { state in
      state.count -= 1
      guard state.count == 0 else { return }
      state.lock?.release()
      state.lock = nil
    }
  }

  // MARK: - For the collector

  /// Returns when nobody is inside, and keeps everybody out until `open`. Not to be called from inside.
  func close(within seconds: Double) throws(StoreError) {
    var left = Int(seconds * 1_000_000)
    while true {
      let turn = try FileLock.wait(queuePath, .exclusive, files)
      for _ in 0..<Self.polls {
        if let lock = try FileLock.attempt(gatePath, .exclusive, files) {
          return state.withLock { $0.closed = (turn, lock) }
        }
        usleep(Self.pollMicroseconds)
        left -= Int(Self.pollMicroseconds)
      }
      turn.release()
      guard left > 0 else { throw StoreError("a run has been judging or publishing for too long; try again later", path: gatePath) }
      usleep(50 * Self.pollMicroseconds)
      left -= 50 * Int(Self.pollMicroseconds)
    }
  }

  func open() {
    state.withLock { state in
      state.closed?.lock.release()
      state.closed?.turn.release()
      state.closed = nil
    }
  }
}
