import Foundation
import JSONValues

/// Numbers as charts show them: so many significant digits in a tooltip, thousands shortened on an axis, time in the units one says it in.
package enum NumberText {
  /// "0.0321", "12340", "2e-5": four significant digits unless told, no zeros at the end.
  package static func short(_ value: Double, significant: Int = 4) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-∞" : "∞" }
    guard value != 0 else { return "0" }
    let power = exponent(value)
    if power >= -4, power < 6 { return trimmed(FixedDigits.text(value, max(0, significant - 1 - power))) }
    // Below, powers of ten have lost digits themselves.
    guard power > -300 else { return JSONText.number(value) }
    let mantissa = trimmed(FixedDigits.text(value / pow(10, Double(power)), significant - 1))
    return mantissa.hasSuffix("10") ? "\(mantissa.dropLast())e\(power + 1)" : "\(mantissa)e\(power)"
  }

  /// With its sign: "+3.1", "-0.02", "0".
  package static func signed(_ value: Double, significant: Int = 3) -> String {
    let text = short(value, significant: significant)
    return value > 0 && text != "0" ? "+" + text : text
  }

  /// The number itself, for data that programs read: the shortest digits that read back as it.
  package static func exact(_ value: Double) -> String {
    value.isFinite ? JSONText.number(value) : value.isNaN ? "nan" : value < 0 ? "-inf" : "inf"
  }

  /// At the ticks of an axis, where all have the same digits and the same unit, which the largest decides: "0.25", "20k", "2e-5".
  package static func tick(_ value: Double, step: Double, largest: Double) -> String {
    guard value != 0, step > 0 else { return "0" }
    for (unit, suffix) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] where largest >= unit * 10 && step >= unit / 100 && largest < 1e13 {
      return trimmed(FixedDigits.text(value / unit, max(0, -exponent(step / unit)))) + suffix
    }
    if largest >= 1e6 || step < 1e-4 { return short(value, significant: 6) }
    return FixedDigits.text(value, max(0, -exponent(step)))
  }

  // MARK: -

  /// The power of ten below; 0.3 has -1, 1000 has 3 although its logarithm may come out below that.
  static func exponent(_ value: Double) -> Int { Int((log10(value.magnitude) + 1e-9).rounded(.down)) }

  private static func trimmed(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: ".")) else { return text }
    var text = Substring(text)
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text == "-0" ? "0" : String(text)
  }
}
