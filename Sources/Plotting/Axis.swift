/// What is measured along one side of a chart.
package struct Axis: Sendable, Equatable {
  package enum Scale: Sendable, Equatable {
    case linear
    /// Linear, and 0 is on it.
    case linearFromZero
    /// What is not above 0 has no place on it.
    case logarithmic
    /// Names at 0, 1, 2 …: the tasks of a sequence.
    case named([String])
  }

  package let title: String
  /// "s", "%"; empty for a bare number.
  package let unit: String
  package let scale: Scale

  package init(_ title: String, unit: String = "", scale: Scale = .linear) {
    self.title = title
    self.unit = unit
    self.scale = scale
  }

  package var label: String { unit.isEmpty ? title : title.isEmpty ? unit : "\(title) (\(unit))" }

  /// Whether a value has a place on it.
  func shows(_ value: Double) -> Bool {
    guard value.isFinite else { return false }
    return scale == .logarithmic ? value > 0 : true
  }

  /// How a value is called where one points at it.
  func text(_ value: Double) -> String {
    if case .named(let names) = scale, let place = Int(exactly: value), names.indices.contains(place) {
      return Markup.shortened(names[place], to: 120)
    }
    return NumberText.short(value)
  }
}
