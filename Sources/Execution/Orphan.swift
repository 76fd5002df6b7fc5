import Artifacts
import Glibc

/// What a runner that was killed left behind: processes that still hold its key's lock.
enum Orphan {
  private static let graceSeconds = 10.0

  /// Ends the work of a dead owner on the stage whose order lies at `orderPath`; `owner` says who is written down now. False when the
  /// owner lives, or cannot be told to be dead.
  static func end(
    _ dead: LockOwner, orderPath: String, ownerNow owner: () throws(StoreError) -> LockOwner?
  ) throws(StoreError) -> Bool {
    guard isGone(dead) else { return false }
    // The lock is free as soon as the group is gone; without a group there is nothing to end, only to look again.
    if let command = dead.command, command.isOfThisBoot { end { signal(command, $0) } }
    // A runner may die before it has written down whom it started, and a process may leave its group: both still carry the stage's
    // environment. A new owner is written down before it starts anything, so with the dead one still there these are the dead one's.
    let strays = strays(of: orderPath)
    guard !strays.isEmpty, try owner()?.runner == dead.runner else { return true }
    end { number in strays.count { $0.standing == .alive && kill($0.pid, number) == 0 } > 0 }
    return true
  }

  /// Whether the runner that is written down is dead for certain.
  static func isGone(_ owner: LockOwner) -> Bool { owner.runner.standing == .gone && owner.runner.isOfThisBoot }

  /// Asks to stop, and ends by force what has not stopped in time. `signal` is false when nobody is left.
  private static func end(_ signal: (Int32) -> Bool) {
    guard signal(SIGTERM) else { return }
    let deadline = monotonicSeconds() + graceSeconds
    while monotonicSeconds() < deadline {
      usleep(20_000)
      if !signal(0) { return }
    }
    _ = signal(SIGKILL)
    while signal(0) { usleep(5_000) }
  }

  /// False when the group is gone. A living leader must be the one that was written down; a group that has lost its leader keeps its
  /// number to itself.
  private static func signal(_ command: ProcessIdentity, _ number: Int32) -> Bool {
    if let now = ProcessIdentity(pid: command.pid), now != command { return false }
    return kill(-command.pid, number) == 0
  }

  /// Processes that were started with this order in their environment.
  private static func strays(of orderPath: String) -> [ProcessIdentity] {
    let mark = Array("HEIRLOOM_STAGE=\(orderPath)".utf8)
    let names = (try? FileSystem.posix.list("/proc")) ?? []
    return names.compactMap { Int32($0) }.filter { pid in
      let variables = (try? FileSystem.posix.read("/proc/\(pid)/environ")) ?? []
      return variables.split(separator: 0).contains { $0.elementsEqual(mark) }
    }.compactMap(ProcessIdentity.init(pid:))
  }
}
