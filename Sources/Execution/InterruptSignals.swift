import Glibc

/// Ctrl-C, SIGTERM, SIGHUP, Ctrl-Z and a resized terminal, as bytes in the loop's pipe, for as long as a run lasts.
struct InterruptSignals {
  private var previous: [(number: Int32, action: sigaction)] = []

  /// One run at a time listens: signals belong to the process.
  mutating func install(wakeDescriptor: Int32) {
    wakeTarget = wakeDescriptor
    for number in [SIGINT, SIGTERM, SIGHUP] { set(number) { _ in Wake.interrupt.send(to: wakeTarget) } }
    // The shell gives the terminal back: whatever is on it now has to be drawn anew.
    for number in [SIGWINCH, SIGCONT] { set(number) { _ in Wake.resize.send(to: wakeTarget) } }
    set(SIGPIPE, SIG_IGN)
    // Where it is ignored there is no shell that could make the program go on.
    if !Self.isIgnored(SIGTSTP) { set(SIGTSTP) { _ in Wake.suspend.send(to: wakeTarget) } }
    unblock([SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT])
  }

  /// Stops this program as if nobody handled Ctrl-Z; returns when the shell has made it go on.
  func stopHere() {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = SIG_DFL
    var ours = sigaction()
    sigaction(SIGTSTP, &action, &ours)
    raise(SIGTSTP)
    sigaction(SIGTSTP, &ours, nil)
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    sigaction(number, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Whoever started the program may have blocked them, and a block is inherited.
  private func unblock(_ numbers: [Int32]) {
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in numbers { sigaddset(&signals, number) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  mutating func restore() {
    for (number, var action) in previous { sigaction(number, &action, nil) }
    previous = []
    wakeTarget = -1
  }

  private mutating func set(_ number: Int32, _ handler: @escaping @convention(c) (Int32) -> Void) {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = handler
    action.sa_flags = SA_RESTART
    var old = sigaction()
    sigaction(number, &action, &old)
    previous.append((number, old))
  }
}

/// Read by signal handlers only while `install` is in force.
nonisolated(unsafe) private var wakeTarget: Int32 = -1
