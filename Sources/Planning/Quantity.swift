import JSONValues

/// Reads amounts of memory and time: `8GiB`, `512MB`, `2h`, `1h30m`, `90s`; plain numbers are bytes and seconds.
package enum Quantity {
  /// Bytes. `KiB` … `TiB` count by 1024, `KB` … `TB` by 1000.
  package static func bytes(_ value: JSONValue) -> Int? {
    switch value {
    case .integer(let bytes): return bytes > 0 ? bytes : nil
    case .string(let text):
      guard let (amount, unit) = split(text), let factor = memory[unit] else { return nil }
      let bytes = (amount * factor).rounded(.up)
      return bytes >= 1 && bytes < 9e18 ? Int(bytes) : nil
    default: return nil
    }
  }

  /// Seconds. Units `ms`, `s`, `m`, `h`, `d`, several after another.
  package static func seconds(_ value: JSONValue) -> Double? {
    if let seconds = value.numberValue { return seconds > 0 ? seconds : nil }
    guard var rest = value.stringValue.map({ Substring($0) }), !rest.isEmpty else { return nil }
    var seconds = 0.0
    while !rest.isEmpty {
      let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      rest = rest.dropFirst(number.count)
      let unit = rest.prefix { $0.isASCII && $0.isLetter }
      rest = rest.dropFirst(unit.count)
      guard let amount = Double(number), let factor = time[String(unit)] else { return nil }
      seconds += amount * factor
    }
    return seconds > 0 && seconds < 1e12 ? seconds : nil
  }

  private static let memory: [String: Double] = [
    "B": 1, "KiB": 1024, "MiB": 1_048_576, "GiB": 1_073_741_824, "TiB": 1_099_511_627_776, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
  ]

  private static let time: [String: Double] = ["ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400]

  private static func split(_ text: String) -> (Double, String)? {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = text.dropFirst(number.count).drop { $0 == " " }
    return Double(number).map { ($0, String(unit)) }
  }
}

extension Quantity {
  /// `4GiB`, `512MiB`, `1000B`: the largest unit that leaves no fraction.
  package static func text(bytes: Int) -> String {
    for (unit, shift) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)] where bytes >= 1 << shift && bytes % (1 << shift) == 0 {
      return "\(bytes >> shift)\(unit)"
    }
    return "\(bytes)B"
  }
}
