import Artifacts
import Glibc

/// What a runner that was killed left behind: a process group that still holds its key's lock.
enum Orphan {
  private static let graceSeconds = 10.0

  /// Ends the work of a dead owner; false when the owner lives, or cannot be told to be dead.
  static func end(_ owner: LockOwner) -> Bool {
    guard owner.runner.standing == .gone, owner.runner.isOfThisBoot else { return false }
    // The lock is free as soon as the group is gone; without a group there is nothing to end, only to look again.
    guard let command = owner.command, command.isOfThisBoot else { return true }
    guard signal(command, SIGTERM) else { return true }
    let deadline = monotonicSeconds() + graceSeconds
    while monotonicSeconds() < deadline {
      usleep(20_000)
      if !signal(command, 0) { return true }
    }
    _ = signal(command, SIGKILL)
    while signal(command, 0) { usleep(5_000) }
    return true
  }

  /// False when the group is gone. A living leader must be the one that was written down; a group that has lost its leader keeps its
  /// number to itself.
  private static func signal(_ command: ProcessIdentity, _ number: Int32) -> Bool {
    if let now = ProcessIdentity(pid: command.pid), now != command { return false }
    return kill(-command.pid, number) == 0
  }
}
