import Diagnostics
import Hashing
import JSONValues
import Manifests

extension Parser {
  /// JSON and YAML, whatever they say.
  static let text: [Parser] = [json, yaml]

  private static let json = Parser("json") { bytes in
    let value = try JSONValue(parsing: bytes)
    for text in [value.encoded(), value.encoded(pretty: true)] {
      // Texts and not values: a number beyond 2^53 that was no integer is one when it is read back.
      guard let again = try? JSONValue.parse(text), again.encoded() == value.encoded() else {
        preconditionFailure("JSON does not read what it wrote: \(text)")
      }
    }
    _ = CanonicalJSON.bytes(value)
    var hasher = Hasher()
    value.hash(into: &hasher)
  }

  private static let yaml = Parser("yaml") { bytes in
    let source = SourceFile(path: "x.yaml", bytes: bytes)
    var limits = YAMLLimits()
    limits.nodes = 20_000
    let (_, findings) = YAMLParser.parse(source, limits: limits)
    _ = DiagnosticRenderer().render(findings.sorted)
    _ = ManifestDecoder.decode(source)
  }
}
