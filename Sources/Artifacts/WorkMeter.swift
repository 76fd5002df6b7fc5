import Glibc
import Synchronization

/// How far a piece of work is, told by those who do it and read by whoever shows it; neither knows of the other. To tell costs an atomic
/// addition, so that it may be done for every file and every piece of one.
package final class WorkMeter: Sendable {
  private struct Task {
    var title: String
    var began: Double
    var itemsInAll = 0
    var bytesInAll = 0
    var whenBegun: (@Sendable () -> Void)?
  }

  package struct Reading: Sendable {
    package let title: String
    /// On the monotonic clock, in seconds.
    package let began: Double
    package let items: Int
    package let bytes: Int
    /// 0 where it is not known.
    package let itemsInAll: Int
    package let bytesInAll: Int
  }

  private let task: Mutex<Task>
  private let items = Atomic<Int>(0)
  private let bytes = Atomic<Int>(0)
  private let now: @Sendable () -> Double

  package init(_ title: String = "working", now: @escaping @Sendable () -> Double = { secondsOnClock() }) {
    self.now = now
    task = Mutex(Task(title: title, began: now()))
  }

  /// Something new begins; what is to be done of it is told where it is known.
  package func begin(_ title: String, items: Int = 0, bytes: Int = 0) {
    let whenBegun = task.withLock { task in
      defer { task = Task(title: title, began: now(), itemsInAll: items, bytesInAll: bytes) }
      self.items.store(0, ordering: .relaxed)
      self.bytes.store(0, ordering: .relaxed)
      return task.whenBegun
    }
    whenBegun?()
  }

  /// Has `body` called once, when something begins: so that where nothing does it costs nothing.
  package func whenBegun(_ body: (@Sendable () -> Void)?) { task.withLock { $0.whenBegun = body } }

  package func add(items: Int) { self.items.add(items, ordering: .relaxed) }

  package func add(bytes: Int) { self.bytes.add(bytes, ordering: .relaxed) }

  package var reading: Reading {
    task.withLock { task in
      Reading(
        title: task.title, began: task.began, items: items.load(ordering: .relaxed), bytes: bytes.load(ordering: .relaxed),
        itemsInAll: task.itemsInAll, bytesInAll: task.bytesInAll)
    }
  }
}

/// Of the clock that only goes forward.
private func secondsOnClock() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
