import Artifacts
import Diagnostics

/// Where site profiles lie: `$XDG_CONFIG_HOME/heirloom/sites/NAME.yaml`, and in `~/.config` where that variable is not set.
package struct SiteDirectory: Sendable {
  package let path: String
  private let files: FileSystem

  package init(variables: [String: String], files: FileSystem = .posix) {
    let configuration = variables["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    path = (configuration ?? "\(variables["HOME"] ?? "/")/.config") + "/heirloom/sites"
    self.files = files
  }

  /// The profile of that name; without a name the one called `default`, or nil when nobody has written it.
  package func site(_ name: String?) -> (site: Site?, findings: Findings) {
    var findings = Findings()
    if let name, !Self.isName(name) {
      findings.error(SiteText.badName(name), at: nil, suggestion: NearestName.find(name, among: names))
      return (nil, findings)
    }
    let file = "\(path)/\(name ?? "default").yaml"
    do throws(StoreError) {
      if let bytes = try files.read(file) { return SiteDecoder.decode(SourceFile(path: file, bytes: bytes), name: name ?? "default") }
      if let name { findings.error(SiteText.unknownSite(name, file), at: nil, suggestion: NearestName.find(name, among: names)) }
    } catch { findings.error(SiteText.unreadable("\(error)"), at: nil) }
    return (nil, findings)
  }

  /// The profiles there are.
  package var names: [String] {
    ((try? files.list(path)) ?? []).filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(".yaml".count)) }
  }

  private static func isName(_ name: String) -> Bool {
    let plain = name.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || [0x2D, 0x2E, 0x5F].contains(byte)
    }
    return plain && !name.isEmpty && !name.hasPrefix(".")
  }
}
