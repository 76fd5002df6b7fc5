import Diagnostics
import Manifests

/// Where contracts are found: the project's `stages/`, then the one installed beside the program. Files are read when asked for.
package struct StageCatalogue: Sendable {
  /// Absolute, in the order in which they are searched.
  package let directories: [String]
  let files: ProjectFiles
  /// Diagnostics name files as seen from here.
  private let workingDirectory: String

  package init(directories: [String], files: ProjectFiles = .disk, workingDirectory: String = "/") {
    self.directories = directories
    self.files = files
    self.workingDirectory = workingDirectory
  }

  /// The contract of a name, what is wrong with its file, or nothing at all when there is no such stage.
  package enum Lookup: Sendable {
    case found(StageContract, [Diagnostic])
    case broken([Diagnostic])
    case unknown(suggestion: String?)
  }

  package func contract(named name: String) -> Lookup {
    guard Self.isName(name), let path = path(of: name) else { return .unknown(suggestion: NearestName.find(name, among: names())) }
    switch files.read(path, YAMLLimits().bytes) {
    case .failure(let failure): return .broken([Diagnostic(.error, ManifestText.unreadable(path, failure.reason), at: nil)])
    case .success(let bytes):
      let source = SourceFile(path: Paths.shown(path, from: workingDirectory), bytes: bytes)
      let (contract, findings) = ContractDecoder.decode(source, name: name, path: path, files: files)
      return contract.map { .found($0, findings.sorted) } ?? .broken(findings.sorted)
    }
  }

  /// The names of all stages, in order, each once.
  package func names() -> [String] {
    Set(directories.flatMap { names(below: $0, prefix: "", depth: 0) }).sorted()
  }

  /// All contracts that can be read, in the order of their names, and what is wrong with the others.
  package func all() -> (contracts: [StageContract], diagnostics: [Diagnostic]) {
    var contracts: [StageContract] = []
    var diagnostics: [Diagnostic] = []
    for name in names() {
      switch contract(named: name) {
      case .found(let contract, let warnings):
        contracts.append(contract)
        diagnostics += warnings
      case .broken(let errors): diagnostics += errors
      case .unknown: break
      }
    }
    return (contracts, diagnostics)
  }

  /// The `stages` of the nearest directory at or above `directory` that has one.
  package static func projectDirectory(above directory: String, files: ProjectFiles = .disk) -> String? {
    var place = directory
    while true {
      if files.kind(Paths.joined(place, "stages")) == .directory { return place }
      if place == "/" { return nil }
      place = Paths.parent(place)
    }
  }

  private func path(of name: String) -> String? {
    directories.lazy.map { "\($0)/\(name).yaml" }.first { files.kind($0) == .file }
  }

  private func names(below directory: String, prefix: String, depth: Int) -> [String] {
    guard depth < 8 else { return [] }
    return files.list(directory).flatMap { entry -> [String] in
      if entry.hasSuffix(".yaml") {
        let name = prefix + entry.dropLast(5)
        return Self.isName(name) ? [name] : []
      }
      let inner = "\(directory)/\(entry)"
      return Name.isValid(entry) && files.kind(inner) == .directory
        ? names(below: inner, prefix: "\(prefix)\(entry)/", depth: depth + 1) : []
    }
  }

  /// Names joined by slashes, so that no `..` leads out of the directory.
  private static func isName(_ text: String) -> Bool {
    text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { Name.isValid(String($0)) }
  }
}
