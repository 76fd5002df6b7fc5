import Diagnostics
import JSONValues
import Manifests

/// A manifest file made ready once, however often it is used. It does not know by whom.
final class ManifestPlan {
  let manifest: Manifest
  /// Absolute.
  let path: String
  /// Where its source paths start.
  let directory: String
  let inputs: [InputDeclaration]
  /// Where they are declared.
  let inputLocations: [SourceLocation]
  let entries: [EntryPlan]
  let outputs: [PortPlan]

  init(_ manifest: Manifest, path: String, inputs: [(InputDeclaration, SourceLocation)], entries: [EntryPlan], outputs: [PortPlan]) {
    self.manifest = manifest
    self.path = path
    directory = Paths.parent(path)
    self.inputs = inputs.map(\.0)
    inputLocations = inputs.map(\.1)
    self.entries = entries
    self.outputs = outputs
  }
}
