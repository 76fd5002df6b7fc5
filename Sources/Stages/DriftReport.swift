import JSONValues
import Merging

/// What `score/drift` writes: metrics by name, and where the drift is.
struct DriftReport {
  private let weights: WeightDrift
  /// In the order in which they were measured.
  private(set) var metrics: [(name: String, value: Double)] = []
  private var byRecord: [Double] = []

  init(_ weights: WeightDrift) {
    self.weights = weights
    let all = weights.all
    metrics = [
      ("distance", all.distance), ("relative_distance", all.relative), ("changed_share", all.changedShare),
      ("largest_change", Double(all.largest)),
    ]
  }

  /// KL(π0‖π) at each place: mean and largest over places, and the mean of each record.
  mutating func add(_ divergences: [(record: Int, divergence: Double)]) {
    let values = divergences.map(\.divergence)
    metrics.append(("kl", values.reduce(0, +) / Double(values.count)))
    metrics.append(("kl_largest", values.max() ?? 0))
    var sums: [(sum: Double, count: Int)] = []
    for (record, divergence) in divergences {
      while sums.count <= record { sums.append((0, 0)) }
      sums[record] = (sums[record].sum + divergence, sums[record].count + 1)
    }
    byRecord = sums.map { $0.count > 0 ? $0.sum / Double($0.count) : 0 }
  }

  /// Of the base and of the model.
  mutating func addBits(_ base: Double, _ model: Double) {
    metrics += [("bits_per_byte_base", base), ("bits_per_byte", model), ("bits_per_byte_change", model - base)]
  }

  var json: JSONValue {
    var object = JSONObject([
      ("metrics", .object(JSONObject(metrics.map { ($0.name, .number($0.value)) }))), ("all", Self.json(weights.all)), ("parts", parts),
      ("layers", layers), ("tensors", .object(JSONObject(weights.tensors.map { ($0.name, Self.json($0.sums)) }))),
    ])
    if !byRecord.isEmpty { object.set("kl_per_record", .array(byRecord.map { .number($0) })) }
    return .object(object)
  }

  // MARK: - Weights

  private var parts: JSONValue {
    let found = WeightDrift.Part.allCases.map { part in
      (part.rawValue, weights.sums { WeightDrift.Part(tensor: $0) == part })
    }
    return .object(JSONObject(found.filter { $0.1.weights > 0 }.map { ($0.0, Self.json($0.1)) }))
  }

  private var layers: JSONValue {
    let count = weights.tensors.compactMap { WeightDrift.layer(ofTensor: $0.name) }.max().map { $0 + 1 } ?? 0
    return .array((0..<count).map { layer in Self.json(weights.sums { WeightDrift.layer(ofTensor: $0) == layer }) })
  }

  private static func json(_ sums: WeightDrift.Sums) -> JSONValue {
    [
      "weights": .integer(sums.weights), "distance": .number(sums.distance), "relative_distance": .number(sums.relative),
      "changed_share": .number(sums.changedShare), "largest_change": .number(Double(sums.largest)),
    ]
  }
}
