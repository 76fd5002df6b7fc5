import Artifacts
import Execution
import Synchronization

/// Sees whether something still moves.
final class Pulse: Sendable {
  private let last: Atomic<Int>

  init() { last = Atomic(Self.now) }

  func beat() { last.store(Self.now, ordering: .relaxed) }

  var ageSeconds: Double { Double(Self.now - last.load(ordering: .relaxed)) / 1000 }

  private static var now: Int { Int(monotonicSeconds() * 1000) }
}

/// Gives up work that does not move any more, also where it blocks a thread and cannot be ended: then the thread is left to it.
enum Watchdog {
  /// Does `body` on `threads`; throws a `RemoteError` when its pulse has not beaten for `seconds`.
  static func watch<Result: Sendable>(
    _ address: String, seconds: Double, on threads: RemoteThreads, _ body: @escaping @Sendable (Pulse) async throws -> Result
  ) async throws -> Result {
    let pulse = Pulse()
    let race = Race<Result>()
    let work = Task(executorPreference: threads) {
      do { race.end(.success(try await body(pulse))) } catch { race.end(.failure(error)) }
    }
    // On the cooperative pool, where it only sleeps: `threads` may all be blocked.
    let dog = Task.detached {
      while !Task.isCancelled, pulse.ageSeconds < seconds { try await Task.sleep(for: .seconds(max(0.01, min(1, seconds / 8)))) }
      guard !Task.isCancelled else { return }
      race.end(.failure(RemoteError(.lasting, "\(address) has not answered for \(Int(max(1, seconds))) s")))
      work.cancel()
    }
    defer { dog.cancel() }
    return try await withTaskCancellationHandler {
      try await race.result()
    } onCancel: {
      work.cancel()
    }
  }
}

/// The first of several ends counts.
private final class Race<Value: Sendable>: Sendable {
  private enum State {
    case open
    case awaited(CheckedContinuation<Value, any Error>)
    case over(Result<Value, any Error>)
    case taken
  }

  private let state = Mutex(State.open)

  func end(_ result: Result<Value, any Error>) {
    let waiting: CheckedContinuation<Value, any Error>? = state.withLock { state in
      switch state {
      case .open:
        state = .over(result)
        return nil
      case .awaited(let continuation):
        state = .taken
        return continuation
      case .over, .taken: return nil
      }
    }
    waiting?.resume(with: result)
  }

  /// Awaited once.
  func result() async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let known: Result<Value, any Error>? = state.withLock { state in
        guard case .over(let result) = state else {
          state = .awaited(continuation)
          return nil
        }
        state = .taken
        return result
      }
      if let known { continuation.resume(with: known) }
    }
  }
}
