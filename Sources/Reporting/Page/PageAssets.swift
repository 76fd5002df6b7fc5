import Hashing
import Plotting

/// The style sheet and the script that every page carries in itself.
package enum PageAssets {
  package static let style = ChartStyle.css + String(decoding: PackageResources.report_css, as: UTF8.self)
  package static let script = String(decoding: PackageResources.report_js, as: UTF8.self)

  /// As a Content-Security-Policy names a script or a style by what stands between its tags.
  package static func source(_ text: String) -> String { "'sha256-\(base64(Digest(hashing: text).bytes))'" }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".unicodeScalars)

  private static func base64(_ bytes: [UInt8]) -> String {
    var text = String.UnicodeScalarView()
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let part = bytes[start..<min(start + 3, bytes.count)]
      let bits = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
      for place in 0..<4 { text.append(place <= part.count ? alphabet[bits >> (18 - 6 * place) & 63] : "=") }
    }
    return String(text)
  }
}
