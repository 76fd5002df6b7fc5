import Remotes

/// Remotes block, so they have threads of their own in tests, too.
let testThreads = RemoteThreads(64)

func onThreads<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
  try await Task(executorPreference: testThreads) { try await body() }.value
}

extension Patience {
  /// Tries once, waits for nothing.
  static var none: Patience {
    var patience = Patience.quick
    patience.tries = 1
    return patience
  }

  /// Tries often, without pauses.
  static var quick: Patience {
    var patience = Patience()
    patience.pause = { _ in await Task.yield() }
    return patience
  }
}
