import Synchronization

/// How often something is tried that may go well the next time, and how long is waited in between and for an answer.
package struct Patience: Sendable {
  /// In all, the first included.
  package var tries = 5
  /// Before the second try; then twice as long each time.
  package var firstPauseSeconds = 0.5
  package var longestPauseSeconds = 30.0
  /// Nothing moves for so long: the remote hangs.
  package var stallSeconds = 120.0
  /// How a pause is made.
  package var pause: @Sendable (Double) async throws -> Void = { try await Task.sleep(for: .seconds($0)) }

  package init() {}

  /// Bytes that a cut transfer must have moved to have its tries counted anew: a long one may be cut often.
  package static let headway = 1 << 16

  /// Does `body` until it goes well or fails in a way that would come again. It tells how many bytes the try has moved.
  package func persist<Result>(_ body: (Headway) async throws -> Result) async throws -> Result {
    var failures = 0
    while true {
      let headway = Headway()
      do { return try await body(headway) } catch let error as RemoteError where error.kind == .passing {
        failures = headway.bytes > Self.headway ? 1 : failures + 1
        guard failures < tries else { throw error }
        try await pause(seconds(after: failures, error))
      }
    }
  }

  /// The remote's own wish counts, within bounds. A part of it is random, so that many who failed at once do not come again at once.
  private func seconds(after failures: Int, _ error: RemoteError) -> Double {
    var seconds = firstPauseSeconds
    for _ in 1..<failures { seconds *= 2 }
    seconds = min(max(seconds, error.retryAfter ?? 0), longestPauseSeconds)
    return seconds * Double.random(in: 0.75...1)
  }
}

/// Bytes that one try has moved.
package final class Headway: Sendable {
  private let count = Atomic<Int>(0)

  func moved(_ bytes: Int) { count.add(bytes, ordering: .relaxed) }

  var bytes: Int { count.load(ordering: .relaxed) }
}
