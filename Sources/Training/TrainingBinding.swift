import JSONValues
import Kernels
import Modeling

/// What a checkpoint is bound to: a run goes on from it only when all of this is the same.
package struct TrainingBinding {
  /// Each part under the name that an error shows.
  let parts: [(name: String, value: String)]

  package init(_ parts: [(name: String, value: String)]) { self.parts = parts }

  /// Adds the configuration of the model and the choice of what of it trains.
  package init(_ configuration: ModelConfiguration, _ trained: TrainableParameters, _ parts: [(name: String, value: String)]) {
    self.parts =
      [("model configuration", configuration.json(dtype: "float32").encoded())] + parts
      + [("choice of trained tensors", trained.identity)]
  }

  init(
    _ configuration: ModelConfiguration, _ settings: TrainingSettings, objective: String, terms: String, records: [TokenizedRecord],
    _ trained: TrainableParameters
  ) {
    self.init(
      configuration, trained,
      [("settings", String(describing: settings)), ("loss", objective), ("terms", terms), ("data", Self.fingerprint(records))])
  }

  var json: JSONValue { .object(JSONObject(parts.map { ($0.name, .string($0.value)) })) }

  /// The first part in which a checkpoint's binding differs.
  func difference(from other: JSONValue?) -> String? {
    parts.first { part in other?[part.name]?.stringValue.map { !$0.utf8.elementsEqual(part.value.utf8) } ?? true }?.name
  }

  /// FNV-1a over every token, mark and weight.
  static func fingerprint(_ records: [TokenizedRecord]) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func mix(_ value: UInt32) { hash = (hash ^ UInt64(value)) &* 0x100_0000_01b3 }
    for record in records {
      mix(UInt32(truncatingIfNeeded: record.ids.count))
      for (id, trained) in zip(record.ids, record.trained) { mix(UInt32(bitPattern: id) << 1 | (trained ? 1 : 0)) }
      for weight in record.weights ?? [] { mix(weight.bitPattern) }
    }
    return "\(records.count) records, " + String(hash, radix: 16)
  }
}
