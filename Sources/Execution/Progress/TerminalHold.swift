import Glibc
import Synchronization

/// What is changed about a terminal while a live display is on it, and that it is changed back whatever ends the program: typed keys are not
/// echoed (a line break in the midst of what is drawn would leave a piece of it behind), and a signal that nobody handles still cleans up.
///
/// Nothing is changed while another job has the terminal. A program that is killed (SIGKILL) cannot clean up; shells restore the echo then.
package final class TerminalHold {
  private let descriptor: Int32
  private let signals: [Int32]
  private var isTaken = false
  private var hidesEcho = false
  private var handlers: [Int32: sigaction] = [:]

  /// Ends that are no request to stop, which a run takes itself.
  private static let faults = [SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS]

  /// - Parameter isInterruptible: nobody handles the requests to stop, and each ends the program.
  package init(isInterruptible: Bool = false, descriptor: Int32 = StandardError.descriptor) {
    self.descriptor = descriptor
    signals = Self.faults + (isInterruptible ? [SIGINT, SIGTERM, SIGHUP] : [])
  }

  package func take() {
    guard !isTaken else { return }
    isTaken = true
    hidesEcho = Self.set(echo: false, descriptor)
    heldDescriptor = hidesEcho ? descriptor : -1
    for number in signals {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { number in
        LiveArea.sayFarewell()
        if heldDescriptor >= 0 { _ = TerminalHold.set(echo: true, heldDescriptor) }
        signal(number, SIG_DFL)
        raise(number)
      }
      var old = sigaction()
      sigaction(number, &action, &old)
      handlers[number] = old
    }
  }

  package func release() {
    guard isTaken else { return }
    isTaken = false
    for (number, var action) in handlers { sigaction(number, &action, nil) }
    handlers = [:]
    heldDescriptor = -1
    if hidesEcho { _ = Self.set(echo: true, descriptor) }
  }

  /// True when that is a change. Only the terminal's own job may make it.
  fileprivate static func set(echo: Bool, _ descriptor: Int32) -> Bool {
    var modes = termios()
    guard tcgetpgrp(descriptor) == getpgrp(), tcgetattr(descriptor, &modes) == 0 else { return false }
    guard (modes.c_lflag & tcflag_t(ECHO) != 0) != echo else { return false }
    modes.c_lflag ^= tcflag_t(ECHO)
    return tcsetattr(descriptor, TCSANOW, &modes) == 0
  }
}

/// Read by signal handlers only while a hold is taken; -1 when there is nothing to give back.
nonisolated(unsafe) private var heldDescriptor: Int32 = -1

extension LiveArea {
  private static let farewellBytes: StaticString = "\u{1B}[0m\r\u{1B}7\u{1B}[K\u{1B}[B\u{1B}[J\u{1B}8\u{1B}[?7h\u{1B}[?25h\u{1B}[?2026l"

  /// For a signal handler, which may do nothing but system calls.
  fileprivate static func sayFarewell() {
    _ = Glibc.write(StandardError.descriptor, farewellBytes.utf8Start, farewellBytes.utf8CodeUnitCount)
  }
}
