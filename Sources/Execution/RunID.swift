/// The id of a run as the runner gives it, `20261121T101530.123Z-4f2a9c`, and nothing else: what has this form names a directory below `runs/`
/// and cannot lead out of it.
package struct RunID: Sendable, Hashable, CustomStringConvertible {
  package let text: String

  package init?(_ text: String) {
    guard text.utf8.count == Self.form.utf8.count, zip(text.utf8, Self.form.utf8).allSatisfy(Self.fits) else { return nil }
    self.text = text
  }

  package var description: String { text }

  private static let form = "00000000T000000.000Z-ffffff"

  private static func fits(_ byte: UInt8, _ place: UInt8) -> Bool {
    let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    return switch place {
    case UInt8(ascii: "0"): isDigit
    case UInt8(ascii: "f"): isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    default: byte == place
    }
  }
}
