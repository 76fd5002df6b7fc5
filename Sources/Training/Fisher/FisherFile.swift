import JSONValues
import Kernels
import Modeling

/// A diagonal Fisher as an artifact: one safetensors file with the model's tensors, and under the key `fisher` of its metadata a JSON object
/// that says which model it belongs to and how it came about.
package struct FisherFile {
  package struct Origin: Sendable, Equatable {
    /// `sha256:…` of the model that it was measured at.
    package var model: String
    /// `model` or `data`: where the targets came from.
    package var labels: String
    package var records: Int
    /// Of the earlier Fisher it holds γ times.
    package var gamma: Double?

    package init(model: String, labels: String, records: Int, gamma: Double? = nil) {
      (self.model, self.labels, self.records, self.gamma) = (model, labels, records, gamma)
    }

    var json: JSONValue {
      .object(
        JSONObject([
          ("model", .string(model)), ("labels", .string(labels)), ("records", .integer(records)),
          ("gamma", gamma.map { .number($0) } ?? .null),
        ]))
    }

    init?(json: JSONValue) {
      guard let model = json["model"]?.stringValue, let labels = json["labels"]?.stringValue, let records = json["records"]?.integerValue
      else { return nil }
      self.init(model: model, labels: labels, records: records, gamma: json["gamma"]?.numberValue)
    }
  }

  package let origin: Origin
  private let file: SafetensorsFile
  private static let key = "fisher"

  /// Reads what it says of itself; the numbers come with `load`.
  package init(path: String) throws(ModelError) {
    file = try SafetensorsFile(path: path)
    guard let text = file.header.metadata.first(where: { $0.key == Self.key })?.value, let json = try? JSONValue.parse(text),
      let origin = Origin(json: json)
    else { throw ModelError("is no Fisher information: its metadata has no '\(Self.key)' that names its model", file: path) }
    self.origin = origin
  }

  /// Its tensors must be those of this configuration, and nowhere negative.
  package func load(_ configuration: ModelConfiguration, pool: ThreadPool) throws(ModelError) -> ParameterArena {
    let arena = try ModelDirectory.arena(file, for: configuration, pool: pool)
    for entry in arena.layout.entries {
      let values = arena.view(entry.name)
      if let index = (0..<entry.count).first(where: { values[$0] < 0 }) {
        throw ModelError("tensor '\(entry.name)' holds \(values[index]): Fisher information is never negative", file: file.path)
      }
    }
    return arena
  }

  package static func write(_ arena: ParameterArena, _ origin: Origin, to path: String, pool: ThreadPool) throws(ModelError) {
    try ModelDirectory.write(
      arena, as: .f32, to: path, pool: pool, metadata: [(key, origin.json.encoded())] + SafetensorsWriter.pytorchFormat)
  }
}
