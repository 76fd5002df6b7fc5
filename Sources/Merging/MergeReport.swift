import JSONValues
import Modeling

/// What merging has done to the weights: how far they moved, and what rounding to their type took away.
package struct MergeReport: Sendable, Equatable {
  /// The largest |W − W₀| before rounding, and where.
  package private(set) var largestChange: Extreme?
  /// The largest difference between a weight before and after rounding to the type of the base, and where.
  package private(set) var largestRounding: Extreme?
  /// Weights of the tensors that adapters change.
  package private(set) var weights = 0
  /// Those whose change is not zero.
  package private(set) var changed = 0
  /// Those of `changed` that rounding puts back where they were.
  package private(set) var vanished = 0

  package struct Extreme: Sendable, Equatable {
    package let value: Float
    package let tensor: String
    package let element: Int

    /// The larger; of equals the first, so that it does not depend on which is met first.
    static func larger(_ a: Extreme?, _ b: Extreme?) -> Extreme? {
      guard let a, let b else { return a ?? b }
      if a.value != b.value { return a.value > b.value ? a : b }
      if a.tensor != b.tensor { return a.tensor.utf8.lexicographicallyPrecedes(b.tensor.utf8) ? a : b }
      return a.element <= b.element ? a : b
    }
  }

  package init() {}

  /// Of some elements of a tensor, from element `start` on.
  init(_ tensor: TensorRecord, from start: Int, _ original: UnsafePointer<Float>, _ merged: UnsafePointer<Float>, _ count: Int) {
    let stored = UnsafeMutablePointer<Float>.allocate(capacity: max(count, 1))
    defer { stored.deallocate() }
    stored.update(from: merged, count: count)
    FloatConversion.round(stored, to: tensor.type, count: count)
    weights = count
    var (change, rounding) = ((value: Float(-1), place: 0), (value: Float(-1), place: 0))
    for i in 0..<count {
      let moved = abs(merged[i] - original[i])
      if moved > change.value { change = (moved, i) }
      let lost = abs(stored[i] - merged[i])
      if lost > rounding.value { rounding = (lost, i) }
      if moved != 0 {
        changed += 1
        if stored[i] == original[i] { vanished += 1 }
      }
    }
    largestChange = Extreme(value: change.value, tensor: tensor.name, element: start + change.place)
    largestRounding = Extreme(value: rounding.value, tensor: tensor.name, element: start + rounding.place)
  }

  mutating func add(_ other: MergeReport) {
    largestChange = Extreme.larger(largestChange, other.largestChange)
    largestRounding = Extreme.larger(largestRounding, other.largestRounding)
    weights += other.weights
    changed += other.changed
    vanished += other.vanished
  }

  package var json: JSONObject {
    func json(_ extreme: Extreme?) -> JSONValue {
      extreme.map { ["value": .number(Double($0.value)), "tensor": .string($0.tensor), "element": .integer($0.element)] } ?? .null
    }
    return JSONObject([
      ("largest_change", json(largestChange)), ("largest_rounding", json(largestRounding)), ("weights", .integer(weights)),
      ("changed", .integer(changed)), ("vanished", .integer(vanished)),
    ])
  }
}
