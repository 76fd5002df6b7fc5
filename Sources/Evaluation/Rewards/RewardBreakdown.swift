import JSONValues

/// The reward of one completion: every component beside the weighted sum.
package struct RewardBreakdown: Sendable, Equatable {
  package struct Component: Sendable, Equatable {
    package var name: String
    /// nil where the component could not score the completion: "not mine", which is not 0.
    package var value: Double?

    package init(_ name: String, _ value: Double?) {
      self.name = name
      self.value = value
    }
  }

  /// In the order of the manifest, before weights.
  package var components: [Component]
  /// Σ w_k r_k over the components that could score; nil when none could, or when one that is `required` could not. A completion without a
  /// total stands outside its group's statistics and has advantage 0.
  package var total: Double?

  package init(components: [Component], total: Double?) {
    self.components = components
    self.total = total
  }

  /// The component's value; nil where there is none of that name or it could not score.
  package subscript(name: String) -> Double? {
    components.first { $0.name.hasSameBytes(as: name) }.flatMap(\.value)
  }

  package func has(_ name: String) -> Bool { components.contains { $0.name.hasSameBytes(as: name) } }

  /// `{"accuracy": 1, "format": null}`
  package var json: JSONValue {
    .object(JSONObject(components.map { ($0.name, $0.value.map { .number($0) } ?? .null) }))
  }
}
