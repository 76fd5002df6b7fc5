import Foundation

/// A colour of the screen, and how it stands out from another.
package struct Color: Sendable, Hashable {
  package let red, green, blue: UInt8

  package init(_ rgb: UInt32) {
    (red, green, blue) = (UInt8(rgb >> 16 & 0xFF), UInt8(rgb >> 8 & 0xFF), UInt8(rgb & 0xFF))
  }

  private init(red: UInt8, green: UInt8, blue: UInt8) { (self.red, self.green, self.blue) = (red, green, blue) }

  /// "#0072b2".
  package var hex: String {
    "#" + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// So much of the other in this one, in the screen's own steps.
  package func mixed(_ share: Double, of other: Color) -> Color {
    func part(_ own: UInt8, _ other: UInt8) -> UInt8 { UInt8((Double(own) * (1 - share) + Double(other) * share).rounded()) }
    return Color(red: part(red, other.red), green: part(green, other.green), blue: part(blue, other.blue))
  }

  /// Red, green and blue as amounts of light, 0 to 1 (sRGB's transfer function).
  package var light: [Double] {
    [red, green, blue].map { value in
      let share = Double(value) / 255
      return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
    }
  }

  /// WCAG 2: (L1 + 0.05) / (L2 + 0.05), 1 to 21.
  package func contrast(to other: Color) -> Double {
    let (own, others) = (luminance, other.luminance)
    return (max(own, others) + 0.05) / (min(own, others) + 0.05)
  }

  private var luminance: Double { zip(light, [0.2126, 0.7152, 0.0722]).reduce(0) { $0 + $1.0 * $1.1 } }
}
