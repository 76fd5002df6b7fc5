import Foundation
import JSONValues

/// What is done to text before it is split: nothing, or canonical composition (NFC).
package enum Normalizer: Sendable, Equatable {
  case none
  case nfc

  init(_ place: JSONPlace) throws(TokenizerError) {
    if place.isNull {
      self = .none
      return
    }
    switch try place.required("type").string() {
    case "NFC": self = .nfc
    case "Sequence":
      var composed = false
      for part in try place.required("normalizers").array() where try Normalizer(part) == .nfc { composed = true }
      self = composed ? .nfc : .none
    case let other: throw try place.required("type").fault("normalizer '\(other)' is not supported; NFC and Sequence are")
    }
  }

  var json: JSONValue { self == .nfc ? ["type": "NFC"] : .null }

  /// The normal form of valid UTF-8, or nil when it is the text itself.
  func normalized(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    // Below U+0300 (CC 80 in UTF-8) every string is its own NFC.
    guard self == .nfc, text.contains(where: { $0 >= 0xCC }) else { return nil }
    return Array(String(decoding: text, as: UTF8.self).precomposedStringWithCanonicalMapping.utf8)
  }

  func normalized(_ text: String) -> String {
    self == .nfc ? text.precomposedStringWithCanonicalMapping : text
  }
}
