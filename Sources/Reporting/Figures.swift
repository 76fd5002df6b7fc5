import Diagnostics
import JSONValues
import Plotting

/// Numbers of a report in words that are the same in every format. Records may hold any number, so the largest are written in full.
package enum Figures {
  package static let missing = "–"
  private static let largest = 1e12

  package static func text(_ value: Double?, _ digits: Int = 1) -> String {
    guard let value, value.isFinite else { return missing }
    return abs(value) < largest ? FixedDigits.text(value, digits) : JSONText.number(value)
  }

  package static func signed(_ value: Double?, _ digits: Int = 1) -> String {
    guard let value, value.isFinite else { return missing }
    return abs(value) < largest ? FixedDigits.signed(value, digits) : (value > 0 ? "+" : "") + JSONText.number(value)
  }

  /// Four digits that count: `1.930`, `0.00123`, `3.061e-4`; whole numbers whole.
  package static func plain(_ value: Double?) -> String {
    guard let value, value.isFinite else { return missing }
    if value == value.rounded(), abs(value) < 1e9 { return FixedDigits.text(value, 0) }
    var (mantissa, exponent) = (abs(value), 0)
    while mantissa >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    while mantissa < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
    if (-3..<6).contains(exponent) { return FixedDigits.text(value, min(6, max(1, 3 - exponent))) }
    return FixedDigits.text(value < 0 ? -mantissa : mantissa, 3) + "e\(exponent)"
  }

  /// "62.5 ± 4.3"
  package static func text(_ value: Double?, error: Double?, _ digits: Int = 1) -> String {
    text(value, digits) + (value == nil ? "" : error.map { " ± " + text($0, digits) } ?? "")
  }

  /// "-3.1 [-6.0, -0.2]"
  package static func change(_ value: Double?, low: Double?, high: Double?, _ digits: Int = 1) -> String {
    guard let value else { return missing }
    guard let low, let high else { return signed(value, digits) }
    return "\(signed(value, digits)) [\(signed(low, digits)), \(signed(high, digits))]"
  }

  package static func percent(_ count: Int, of all: Int) -> String {
    all == 0 ? missing : text(Double(count) / Double(all) * 100, 1) + " %"
  }

  package static func duration(_ seconds: Double?) -> String { seconds.map { DurationText.text($0) } ?? missing }

  /// `2026-11-21 12:13:02 UTC`, of seconds since 1970.
  package static func moment(_ seconds: Double) -> String {
    guard seconds.isFinite, abs(seconds) < 1e11 else { return missing }
    let whole = Int(seconds.rounded(.down))
    let day = (whole - ((whole % 86400) + 86400) % 86400) / 86400
    let rest = whole - day * 86400
    // Days to a date by Howard Hinnant's civil_from_days.
    let shifted = day + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let civil = month < 10 ? month + 3 : month - 9
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let date = "\(yearOfEra + era * 400 + (civil <= 2 ? 1 : 0))-\(two(civil))-\(two(dayOfYear - (153 * month + 2) / 5 + 1))"
    return "\(date) \(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)) UTC"
  }
}
