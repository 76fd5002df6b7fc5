import Artifacts
import Diagnostics
import Planning

/// Where a remote is, as people write it: `dir:/mnt/share`, `ssh://host/path`, `oci://registry/repository`, `s3://bucket/prefix`.
package struct RemoteAddress: Sendable, Equatable, CustomStringConvertible {
  package enum Kind: String, Sendable, CaseIterable {
    case directory = "dir:"
    case ssh = "ssh://"
    case oci = "oci://"
    case s3 = "s3://"
  }

  package let kind: Kind
  package let text: String

  package var description: String { text }

  /// What follows the kind.
  package var rest: String { String(text.dropFirst(kind.rawValue.count)) }

  /// An address is told from a name by its colon.
  package static func isAddress(_ text: String) -> Bool { text.utf8.contains(UInt8(ascii: ":")) }

  package init(_ text: String) throws(RemoteError) {
    let shown = VisibleText.line(text, on: .terminal)
    guard text.isPrintable, let kind = Kind.allCases.first(where: { text.hasPrefix($0.rawValue) }) else {
      throw RemoteError(.usage, "'\(shown)' is no address of a remote; those begin with dir:, ssh://, oci:// or s3://")
    }
    self.kind = kind
    self.text = text
    guard !rest.isEmpty, rest != "/" || kind == .directory else { throw RemoteError(.usage, "'\(shown)' does not say where") }
    if kind != .directory, Self.hasPassword(rest) {
      // Not shown: it may be one.
      throw RemoteError(
        .usage, "the address has a password in it, which belongs into an agent, a profile or the program's own configuration, not here")
    }
  }

  /// `user:password@host`
  private static func hasPassword(_ rest: String) -> Bool {
    let authority = rest.prefix { $0 != "/" }
    guard let at = authority.lastIndex(of: "@") else { return false }
    return authority[..<at].contains(":")
  }

  /// The same with a relative `dir:` path made absolute.
  package func resolved(from directory: String) -> RemoteAddress {
    guard kind == .directory, !rest.hasPrefix("/") else { return self }
    return RemoteAddress(kind: kind, text: "dir:\(Paths.absolute(rest, from: directory))")
  }

  private init(kind: Kind, text: String) { (self.kind, self.text) = (kind, text) }

  /// What the address itself says a run is called there: `quickstart` of `oci://registry.example/recipes:quickstart`.
  package var tag: String? { get throws(RemoteError) { kind == .oci ? try OCIAddress(text).tag : nil } }

  /// Nothing is connected yet.
  ///
  /// - Parameter notes: a directory where uploads that were begun are remembered, so that another process can go on with them.
  package func open(environment: [String: String], notes: String? = nil) throws(RemoteError) -> any Remote {
    switch kind {
    case .directory: return FileTreeRemote(DirectoryFiles(rest, address: text))
    case .ssh: return FileTreeRemote(try SSHFiles(text, environment: environment))
    case .oci: return try OCIRemote(text, environment: environment, notes: notes)
    case .s3: return try S3Remote(text, environment: environment)
    }
  }
}
