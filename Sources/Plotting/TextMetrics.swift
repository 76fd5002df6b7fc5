/// How wide text will be, roughly: a chart is laid out where no font can be asked. The widths are those of DejaVu Sans, which is among the
/// widest faces that browsers fall back to, so that what fits here fits elsewhere.
enum TextMetrics {
  /// In units of `size`.
  static func width(_ text: String, size: Double) -> Double {
    text.unicodeScalars.reduce(0) { $0 + advance($1) } * size
  }

  /// The text, or as much of both its ends as fits.
  static func fitted(_ text: String, width: Double, size: Double) -> String {
    let whole = Markup.shortened(text, to: 240)
    guard Self.width(whole, size: size) > width else { return whole }
    let scalars = Array(whole.unicodeScalars)
    let room = width / size - advance("…")
    var (head, tail) = (0, 0)
    var used = 0.0
    // A scalar from the beginning, then one from the end, as long as there is room.
    while head + tail < scalars.count {
      let next = head <= tail ? scalars[head] : scalars[scalars.count - 1 - tail]
      used += advance(next)
      if used > room { break }
      if head <= tail { head += 1 } else { tail += 1 }
    }
    var result = String.UnicodeScalarView(scalars.prefix(head))
    result.append("…")
    result.append(contentsOf: scalars.suffix(tail))
    return String(result)
  }

  private static func advance(_ scalar: Unicode.Scalar) -> Double {
    switch scalar.value {
    case 0x20: 0.32
    case UInt32(UInt8(ascii: "i")), UInt32(UInt8(ascii: "j")), UInt32(UInt8(ascii: "l")), UInt32(UInt8(ascii: "I")): 0.29
    case UInt32(UInt8(ascii: ".")), UInt32(UInt8(ascii: ",")), UInt32(UInt8(ascii: ":")), UInt32(UInt8(ascii: "'")): 0.32
    case UInt32(UInt8(ascii: "f")), UInt32(UInt8(ascii: "r")), UInt32(UInt8(ascii: "t")), UInt32(UInt8(ascii: "-")): 0.4
    case UInt32(UInt8(ascii: "[")), UInt32(UInt8(ascii: "]")), UInt32(UInt8(ascii: "(")), UInt32(UInt8(ascii: ")")): 0.4
    case UInt32(UInt8(ascii: "m")), UInt32(UInt8(ascii: "M")), UInt32(UInt8(ascii: "W")): 0.98
    case UInt32(UInt8(ascii: "w")), UInt32(UInt8(ascii: "%")), UInt32(UInt8(ascii: "+")), UInt32(UInt8(ascii: "=")): 0.84
    case 0x41...0x5A: 0.71
    case 0x21..<0x300: 0.635
    case 0x300..<0x370: 0
    case 0x370..<0x1100, 0x2010..<0x2100: 0.7
    default: 1
    }
  }
}
