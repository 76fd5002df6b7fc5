import JSONValues
import Planning

/// Which instances are computed again.
package enum Selection: Sendable, Equatable {
  case all
  case named([String])
  /// So many, drawn with a seed.
  case sample(Int, seed: UInt64)

  /// Indices, ascending. Throws a `Diagnostic` for a name that means no instance.
  func indices(_ graph: InstanceGraph, _ lock: RecipeLock) throws -> [Int] {
    switch self {
    case .all: return Array(graph.instances.indices)
    case .named(let names):
      var indices: Set<Int> = []
      for name in names { indices.formUnion(try graph.instances(named: name)) }
      return indices.sorted()
    case .sample(let count, let seed):
      let locked = lock.byName
      var candidates = graph.instances.indices.filter { locked[ByteString(graph.instances[$0].name)]?.outputs != nil }
      var generator = SplitMix(state: seed)
      candidates.shuffle(using: &generator)
      return candidates.prefix(count).sorted()
    }
  }
}

/// Steele, Lea and Flood's SplitMix64: the same draw from the same seed, on every machine.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}
