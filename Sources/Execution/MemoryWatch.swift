import Artifacts
import Glibc
import Synchronization

/// Holds stages to the memory they were promised: looks at what their processes hold, the more often the nearer they are to it, and ends
/// the one that is above. One thread for all stages of a run, and none while no stage has a limit.
final class MemoryWatch: Sendable {
  /// One stage that is watched, from the start of its process until `done`.
  final class Ward: Sendable {
    private struct State {
      var isDone = false
      var peak: Int?
    }
    fileprivate let child: ChildProcess
    let limit: Int
    private let state = Mutex(State())

    fileprivate init(_ child: ChildProcess, _ limit: Int) { (self.child, self.limit) = (child, limit) }

    /// What it held when it was ended for it, in bytes; nil when it was not.
    var exceeded: Int? { state.withLock { $0.peak } }
    var isDone: Bool { state.withLock { $0.isDone } }
    func done() { state.withLock { $0.isDone = true } }
    fileprivate func exceed(_ bytes: Int) { state.withLock { $0.peak = bytes } }
  }

  private struct State {
    var wards: [Ward] = []
    var isRunning = false
  }

  private let state = Mutex(State())
  /// A program can hardly fill memory faster, in bytes a second.
  private static let fastest = 4e9
  private static let shortest = 0.01
  private static let longest = 0.25

  func watch(_ child: ChildProcess, limit: Int) -> Ward {
    let ward = Ward(child, limit)
    let starts = state.withLock { state in
      state.wards.append(ward)
      defer { state.isRunning = true }
      return !state.isRunning
    }
    if starts { startThread { self.look() } }
    return ward
  }

  private func look() {
    var wait = Self.shortest
    while true {
      usleep(UInt32(wait * 1e6))
      let wards = state.withLock { state in
        state.wards.removeAll { $0.isDone || $0.exceeded != nil }
        if state.wards.isEmpty { state.isRunning = false }
        return state.wards
      }
      if wards.isEmpty { return }
      wait = Self.longest
      for ward in wards {
        guard let process = ward.child.identifier else { continue }
        let held = ProcessTree.memory(of: process, above: ward.limit)
        guard held > ward.limit else {
          wait = min(wait, max(Self.shortest, Double(ward.limit - held) / Self.fastest))
          continue
        }
        ward.exceed(held)
        ward.child.signal(SIGKILL)
      }
    }
  }
}
