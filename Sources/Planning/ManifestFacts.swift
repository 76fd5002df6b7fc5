import Diagnostics
import JSONValues
import Manifests

/// What a manifest says of itself, without its stages: what a report of an old run can tell of a manifest whose contracts may be gone.
package struct ManifestFacts: Sendable {
  package let name: String
  package let description: String?
  /// As they are when nobody overrides any.
  package let parameters: JSONObject

  /// Nil for a text that is no manifest.
  package init?(_ source: SourceFile) {
    guard let manifest = ManifestDecoder.decode(source).manifest else { return nil }
    var findings = Findings()
    name = manifest.name
    description = manifest.description
    parameters = RecipeParams.resolve(manifest, RecipeOptions(), &findings) ?? JSONObject()
  }

  /// The options of a command line that make `parameters` of these, `rates=[0.00002]`; values are written as JSON, which YAML reads.
  package func settings(for parameters: JSONObject) -> [String] {
    parameters.members.filter { self.parameters[$0.key] != $0.value }.map { "\($0.key)=\($0.value.encoded())" }
  }
}
