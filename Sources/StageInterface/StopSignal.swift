import Foundation

/// Whether the stage was asked to stop: by SIGTERM or SIGINT, or because its runner is gone.
///
/// The runner holds the write end of a pipe (the lifeline); its read end is inherited here, named by `HEIRLOOM_LIFELINE`.
/// End of file means that nobody is left to take the result: the stage then has ten seconds to write its checkpoint, after which
/// the whole process group is ended. PR_SET_PDEATHSIG will not do, for it fires when the *thread* that spawned the process ends.
package final class StopSignal: Sendable {
  package init() {}

  package var isRaised: Bool { stopFlag.pointee != 0 }

  package func raise() { stopFlag.pointee = 1 }

  /// Starts listening, for the whole process.
  package func install(lifeline: Int32? = StopSignal.inheritedLifeline) {
    for number in [SIGTERM, SIGINT] {
      signal(number) { _ in stopFlag.pointee = 1 }
    }
    guard let lifeline else { return }
    Thread.detachNewThread {
      var byte: UInt8 = 0
      while true {
        let count = read(lifeline, &byte, 1)
        if count == 0 || (count < 0 && errno != EINTR) { break }
      }
      self.raise()
      sleep(Self.graceSeconds)
      kill(0, SIGKILL)
    }
  }

  package static let graceSeconds: UInt32 = 10

  package static var inheritedLifeline: Int32? {
    ProcessInfo.processInfo.environment["HEIRLOOM_LIFELINE"].flatMap { Int32($0) }
  }
}

/// One word that a signal handler may set; allocated once and never freed.
nonisolated(unsafe) private let stopFlag: UnsafeMutablePointer<sig_atomic_t> = {
  let flag = UnsafeMutablePointer<sig_atomic_t>.allocate(capacity: 1)
  flag.initialize(to: 0)
  return flag
}()
