import Foundation

/// An axis fitted to data: its ends, its ticks, and where between its ends a value lies.
package struct PlotScale: Sendable {
  package struct Tick: Sendable, Equatable {
    package let value: Double
    package let label: String
  }

  package let axis: Axis
  package let lower: Double
  package let upper: Double
  package let ticks: [Tick]

  /// Beyond this, differences would overflow.
  private static let largest = 1e300

  /// - Parameter count: about so many ticks.
  package init(_ axis: Axis, _ values: [Double], count: Int) {
    self.axis = axis
    let shown = values.filter(axis.shows).map { min(max($0, -Self.largest), Self.largest) }
    switch axis.scale {
    case .named(let names):
      (lower, upper) = (-0.35, Double(max(names.count, 1)) - 0.65)
      let stride = max(1, (names.count + max(count, 1) - 1) / max(count, 1))
      ticks = names.indices.filter { $0 % stride == 0 }.map { Tick(value: Double($0), label: names[$0]) }
    case .logarithmic:
      (lower, upper, ticks) = Self.logarithmic(shown.map { max($0, 1 / Self.largest) }, count)
    case .linear, .linearFromZero:
      (lower, upper, ticks) = Self.linear(axis.scale == .linearFromZero ? shown + [0] : shown, count)
    }
  }

  /// 0 at the lower end, 1 at the upper.
  package func share(_ value: Double) -> Double {
    guard axis.scale == .logarithmic else {
      return upper == lower ? 0.5 : min(max((value / 2 - lower / 2) / (upper / 2 - lower / 2), 0), 1)
    }
    guard value > 0 else { return 0 }
    return min(max((log(value) - log(lower)) / (log(upper) - log(lower)), 0), 1)
  }

  // MARK: - Ticks

  private static func linear(_ values: [Double], _ count: Int) -> (Double, Double, [Tick]) {
    guard var low = values.min(), var high = values.max() else { return (0, 1, []) }
    if high / 2 - low / 2 <= max(low.magnitude, high.magnitude) * 1e-12 {
      let room = low.magnitude * 0.1
      (low, high) = low == 0 ? (0, 1) : (low - room, high + room)
    }
    let (mantissa, power) = niceStep((high / 2 - low / 2) / Double(max(count, 2)) * 2)
    let first = (low / mantissa / pow(10, Double(power)) + 1e-9).rounded(.down)
    let last = (high / mantissa / pow(10, Double(power)) - 1e-9).rounded(.up)
    // A negative power divides, for 3 / 10 is the number written 0.3 and 3 * 0.1 is not.
    let unit = pow(10, Double(abs(power)))
    func value(_ place: Double) -> Double { power < 0 ? place * mantissa / unit : place * mantissa * unit }
    let (step, largest) = (value(1), max(low.magnitude, high.magnitude))
    let ticks = (0...Int(min(max(last - first, 1), 50))).map { index in
      let place = value(first + Double(index))
      return Tick(value: place, label: NumberText.tick(place, step: step, largest: largest))
    }
    return (value(first), value(max(last, first + 1)), ticks)
  }

  /// 1, 2 or 5 times a power of ten, at least as large.
  static func niceStep(_ step: Double) -> (mantissa: Double, power: Int) {
    guard step.isFinite, step > 1e-300 else { return (1, -300) }
    let power = NumberText.exponent(step)
    let mantissa = step / pow(10, Double(power))
    for nice in [1.0, 2, 5] where mantissa <= nice * (1 + 1e-9) { return (nice, power) }
    return (1, power + 1)
  }

  private static func logarithmic(_ values: [Double], _ count: Int) -> (Double, Double, [Tick]) {
    guard let low = values.min(), let high = values.max() else { return (1, 10, []) }
    let powers = max(NumberText.exponent(low) - 1, -306)...min(NumberText.exponent(high) + 2, 307)
    func number(_ mantissa: Double, _ power: Int) -> Double {
      power < 0 ? mantissa / pow(10, Double(-power)) : mantissa * pow(10, Double(power))
    }
    let steps = powers.flatMap { power in [1.0, 2, 5].map { (mantissa: $0, value: number($0, power)) } }
    var first = steps.lastIndex { $0.value <= low * (1 + 1e-9) } ?? 0
    var last = steps.firstIndex { $0.value >= high * (1 - 1e-9) } ?? steps.count - 1
    if first == last { (first, last) = (max(first - 1, 0), min(last + 1, steps.count - 1)) }
    let inside = Array(steps[first...last])
    var shown = inside
    if shown.count > count { shown = inside.filter { $0.mantissa == 1 } }
    if shown.count < 2 { shown = [inside[0], inside[inside.count - 1]] }
    let stride = max(1, (shown.count + count - 1) / max(count, 1))
    let ticks = shown.indices.filter { $0 % stride == 0 }.map { place in
      let value = shown[place].value
      return Tick(value: value, label: NumberText.tick(value, step: value, largest: value))
    }
    return (steps[first].value, steps[last].value, ticks)
  }
}
