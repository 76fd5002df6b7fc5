import Glibc

/// What a queueing system says to a job, as bytes in the job's pipe: SIGTERM and SIGUSR1 ask it to stop in good time, and so does whoever
/// runs it by hand.
enum JobSignals {
  static func install(_ pipe: WakePipe) {
    jobWakeTarget = pipe.writeEnd
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in Wake.interrupt.send(to: jobWakeTarget) }
    action.sa_flags = SA_RESTART
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGTERM, SIGUSR1, SIGINT, SIGHUP] {
      sigaction(number, &action, nil)
      sigaddset(&signals, number)
    }
    signal(SIGPIPE, SIG_IGN)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }
}

/// Read by the signal handler only; set once, for a process is one job.
nonisolated(unsafe) private var jobWakeTarget: Int32 = -1
