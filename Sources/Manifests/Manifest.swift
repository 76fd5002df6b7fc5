import Diagnostics

/// A recipe as written: its words in their places, nothing replaced, no stage looked up.
package struct Manifest: Sendable {
  package let source: SourceFile
  package let name: String
  package let description: String?
  /// `native` or `portable`; nil when the manifest does not say.
  package let numerics: Located<String>?
  /// `on` or `off` for its command stages; nil when the manifest does not say.
  package let hermetic: Located<String>?
  package let params: [Node.Member]
  package let profiles: [Profile]
  /// What a manifest that uses this one binds: a name and what it takes, as an input of a contract is declared.
  package let inputs: [Node.Member]
  package let entries: [ManifestEntry]
  /// What a manifest that uses this one may refer to: a name and a reference, or a list of them.
  package let outputs: [Node.Member]
}

/// A named set of params.
package struct Profile: Sendable {
  package let name: Located<String>
  package let params: [Node.Member]
}

/// What stands under `stages`: a name, and a stage or a group.
package struct ManifestEntry: Sendable {
  package enum Kind: Sendable {
    case stage(StageEntry)
    case group(GroupEntry)
    /// Wrong, and reported: references to it are not reported again.
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
  /// `on` or `off`; nil when the entry does not say.
  package let hermetic: Located<String>?
  /// Who carries it out; nil leaves it to the command line.
  package let executor: Located<String>?
}

/// Entries under one name, as often as the matrix and the scan say.
package struct GroupEntry: Sendable {
  package enum Body: Sendable {
    case stages([ManifestEntry])
    case manifest(ManifestUse)
  }

  package let body: Body
  package let matrix: MatrixEntry?
  package let scan: ScanEntry?
}

/// A whole manifest as a group: `uses: ./other.yaml`.
package struct ManifestUse: Sendable {
  /// The path as written.
  package let path: Located<String>
  /// Its params.
  package let with: [Node.Member]
  package let inputs: [Node.Member]
}

/// Steps in order as written: each starts from what the step before carried on.
package struct ScanEntry: Sendable {
  /// The variable; its value is a list, or a `${…}` that gives one.
  package let variable: Node.Member
  /// What the first step starts from.
  package let carry: [Node.Member]
  /// What each step carries on.
  package let then: [Node.Member]
  /// Where `then` stands, or `carry` when there is none.
  package let thenLocation: SourceLocation?
  package let location: SourceLocation
}

/// The axes of a matrix as written.
package struct MatrixEntry: Sendable {
  /// In declared order; the value is a list, or a `${…}` that gives one.
  package let axes: [Node.Member]
  package let include: Node?
  package let exclude: Node?
  package let location: SourceLocation
}
