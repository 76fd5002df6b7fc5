import Dispatch
import Glibc
import Synchronization

/// The server as a program of its own.
extension WebServer {
  private static let signals = [SIGINT, SIGTERM, SIGHUP]

  /// Serves until a signal ends it, on the main thread of a program that has started no other: they are all to leave the signals to it.
  ///
  /// - Parameter say: is told the address once it answers.
  package static func runUntilInterrupted(storePath: String, host: String, port: Int, say: (String) -> Void) throws(ServingError) {
    var waited = sigset_t()
    sigemptyset(&waited)
    for signal in signals { sigaddset(&waited, signal) }
    pthread_sigmask(SIG_BLOCK, &waited, nil)
    signal(SIGPIPE, SIG_IGN)
    let server = try blocking { () async throws(ServingError) in try await start(storePath: storePath, host: host, port: port) }
    say(server.url)
    var number: Int32 = 0
    while sigwait(&waited, &number) != 0 {}
    try blocking { () async throws(ServingError) in await server.stop() }
  }

  private static func blocking<Value: Sendable>(
    _ work: @escaping @Sendable () async throws(ServingError) -> Value
  ) throws(ServingError) -> Value {
    let done = DispatchSemaphore(value: 0)
    let result = Mutex<Result<Value, ServingError>?>(nil)
    Task {
      let outcome: Result<Value, ServingError>
      do throws(ServingError) { outcome = .success(try await work()) } catch { outcome = .failure(error) }
      result.withLock { $0 = outcome }
      done.signal()
    }
    while true {
      done.wait()
      if let outcome = result.withLock({ $0 }) { return try outcome.get() }
    }
  }
}
