/// A text that diagnostics point into: a file, or an argument of the command line. It does not know how it was parsed.
///
/// A class, because every located node of a manifest refers to the one text it stands in.
package final class SourceFile: Sendable {
  package enum Kind: Sendable {
    case file
    /// A word of the command line, such as `--set seed=3`; its findings have no line and column.
    case argument
  }

  package let kind: Kind
  /// How diagnostics name it: the path as the user gave it, or the argument.
  package let path: String
  package let bytes: [UInt8]

  package init(kind: Kind = .file, path: String, bytes: [UInt8]) {
    self.kind = kind
    self.path = path
    self.bytes = bytes
  }

  package convenience init(kind: Kind = .file, path: String, text: String) {
    self.init(kind: kind, path: path, bytes: Array(text.utf8))
  }
}
