import Diagnostics

/// A recipe as written: its words in their places, nothing replaced, no stage looked up.
package struct Manifest: Sendable {
  package let source: SourceFile
  package let name: String
  package let description: String?
  /// `native` or `portable`; nil when the manifest does not say.
  package let numerics: Located<String>?
  package let params: [Node.Member]
  package let profiles: [Profile]
  package let entries: [ManifestEntry]
}

/// A named set of params.
package struct Profile: Sendable {
  package let name: Located<String>
  package let params: [Node.Member]
}

/// What stands under `stages`: a name and a stage. Groups have their place here; they are not read yet.
package struct ManifestEntry: Sendable {
  package enum Kind: Sendable {
    case stage(StageEntry)
    /// Wrong, or not supported yet, and reported: references to it are not reported again.
    case broken
  }

  package let name: String
  package let location: SourceLocation
  package let kind: Kind
}

/// A stage with nothing replaced yet.
package struct StageEntry: Sendable {
  package let uses: Located<String>
  package let with: [Node.Member]
  package let inputs: [Node.Member]
  package let matrix: MatrixEntry?
  package let resources: Node?
  package let retries: Node?
  package let timeout: Node?
  package let expect: Node?
}

/// The axes of a matrix as written.
package struct MatrixEntry: Sendable {
  /// In declared order; the value is a list, or a `${…}` that gives one.
  package let axes: [Node.Member]
  package let include: Node?
  package let exclude: Node?
  package let location: SourceLocation
}
