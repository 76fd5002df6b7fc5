/// What a stage left where an output belongs: the files to take, or what is wrong with it.
///
/// Links and special files are refused: a link would let content change after it was hashed, or reach outside the work directory. So are names
/// that cannot be shown or listed, and more files than a directory of records has.
package struct OutputSurvey: Sendable {
  /// Why an output cannot be taken: the stage's fault, in words without the output's name.
  package struct Refusal: Error, Sendable, Equatable {
    package let message: String
  }

  package let isDirectory: Bool
  /// Relative paths of all files, in byte order; a single file is "".
  package let paths: [String]
  package let emptyDirectories: [String]

  private static let maximumDepth = 64
  private static let mostEntries = 1 << 21

  package enum Kind: Sendable { case file, directory }

  package init(_ path: String, expecting kind: Kind, files: FileSystem) throws {
    guard let status = try files.status(path, followingLinks: false) else { throw Refusal(message: "was not created") }
    switch (status.kind, kind) {
    case (.file, .file):
      self.init(isDirectory: false, paths: [""], emptyDirectories: [])
    case (.directory, .directory):
      var paths: [String] = []
      var empty: [String] = []
      try Self.walk(path, "", 0, files, &paths, &empty)
      self.init(isDirectory: true, paths: paths, emptyDirectories: empty)
    case (.directory, .file): throw Refusal(message: "is a directory where a file belongs")
    case (.file, .directory): throw Refusal(message: "is a file where a directory belongs")
    case (.link, _): throw Refusal(message: "is a symbolic link")
    case (.special, _): throw Refusal(message: "is neither a file nor a directory")
    }
  }

  private init(isDirectory: Bool, paths: [String], emptyDirectories: [String]) {
    self.isDirectory = isDirectory
    self.paths = paths
    self.emptyDirectories = emptyDirectories
  }

  private static func walk(
    _ root: String, _ directory: String, _ depth: Int, _ files: FileSystem, _ paths: inout [String], _ empty: inout [String]
  ) throws {
    guard depth < maximumDepth else { throw Refusal(message: "is nested deeper than \(maximumDepth) directories") }
    let names = try files.list(directory.isEmpty ? root : "\(root)/\(directory)") ?? []
    if names.isEmpty && !directory.isEmpty { empty.append(directory) }
    for name in names {
      let relative = directory.isEmpty ? name : "\(directory)/\(name)"
      guard !name.unicodeScalars.contains("\u{FFFD}") else { throw Refusal(message: "holds a name that is not UTF-8") }
      guard name.isPrintable else { throw Refusal(message: "holds a name with a control character: \(Store.fileName(relative))") }
      guard paths.count + empty.count < mostEntries else { throw Refusal(message: "holds more than \(mostEntries) files") }
      switch try files.status("\(root)/\(relative)", followingLinks: false)?.kind {
      case .file?: paths.append(relative)
      case .directory?: try walk(root, relative, depth + 1, files, &paths, &empty)
      case .link?: throw Refusal(message: "holds a symbolic link: \(relative)")
      case .special?: throw Refusal(message: "holds what is neither a file nor a directory: \(relative)")
      case nil: throw Refusal(message: "changed while it was read: \(relative)")
      }
    }
  }
}
