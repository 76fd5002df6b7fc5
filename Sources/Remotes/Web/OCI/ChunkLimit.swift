import Synchronization

/// How many bytes a registry is sent with one request: all, until it or something before it shows that this is too much.
final class ChunkLimit: Sendable {
  private let limit = Atomic(Int.max)
  private static let steps = [64 << 20, 16 << 20, 4 << 20, 1 << 20]

  var value: Int { limit.load(ordering: .relaxed) }

  /// The next smaller step; false when there is none that is as large as the registry wants it.
  func lower(below count: Int, atLeast minimum: Int) -> Bool {
    guard let next = Self.steps.first(where: { $0 < count }), next >= minimum else { return false }
    limit.store(next, ordering: .relaxed)
    return true
  }
}
