import Artifacts
import Diagnostics
import Glibc
import JSONValues
import Manifests
import Planning

/// What people call remotes by: `PROJECT/.heirloom/remotes.yaml`, and `~/.config/heirloom/remotes.yaml` for all projects. The project's
/// own name goes first. Addresses and nothing else stand there: no credentials.
///
/// ```yaml
/// remotes:
///   lab: "ssh://store.lab/srv/heirloom"
/// ```
package struct NamedRemotes: Sendable {
  package enum Scope: String, Sendable, CaseIterable { case project, user }

  package struct Entry: Sendable, Equatable {
    package let name: String
    package let address: RemoteAddress
    package let scope: Scope
  }

  private let project: String
  private let user: String?
  private let files: FileSystem

  package init(project: String, environment: [String: String], files: FileSystem = .posix) {
    self.project = project + "/.heirloom/remotes.yaml"
    let configuration =
      environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? environment["HOME"].map { $0 + "/.config" }
    user = configuration.map { $0 + "/heirloom/remotes.yaml" }
    self.files = files
  }

  package func path(_ scope: Scope) -> String? { scope == .project ? project : user }

  // MARK: - Reading

  /// By name; of two with one name the project's.
  package func entries() throws -> [Entry] {
    var found: [Entry] = []
    for scope in Scope.allCases {
      for entry in try entries(scope) where !found.contains(where: { $0.name == entry.name }) { found.append(entry) }
    }
    return found.sorted { $0.name < $1.name }
  }

  /// The remote of a name, or of an address that stands for itself; relative ones from `directory`.
  package func address(_ text: String, from directory: String) throws -> RemoteAddress {
    if RemoteAddress.isAddress(text) { return try RemoteAddress(text).resolved(from: directory) }
    let entries = try entries()
    if let entry = entries.first(where: { $0.name == text }) { return entry.address }
    let shown = VisibleText.line(text, on: .terminal)
    let near = NearestName.find(text, among: entries.map(\.name)).map { "; did you mean '\($0)'?" }
    let help =
      entries.isEmpty ? "; heirloom remote add NAME ADDRESS makes one" : "; there are \(entries.map(\.name).joined(separator: ", "))"
    throw RemoteError(.usage, "no remote '\(shown)'" + (near ?? help))
  }

  private func entries(_ scope: Scope) throws -> [Entry] {
    guard let path = path(scope), let bytes = try files.read(path) else { return [] }
    let source = SourceFile(path: path, bytes: bytes)
    let (node, parsed) = YAMLParser.parse(source)
    var findings = parsed
    var found: [Entry] = []
    if let node, !node.isNull, var reader = MappingReader(node, "the list of remotes", &findings) {
      for member in reader.take("remotes")?.members ?? [] {
        if let entry = Self.entry(member, scope, &findings) { found.append(entry) }
      }
      reader.finish(&findings)
    }
    if findings.hasErrors { throw InvalidRecipe(diagnostics: findings.sorted) }
    return found
  }

  private static func entry(_ member: Node.Member, _ scope: Scope, _ findings: inout Findings) -> Entry? {
    guard case .string(let text)? = member.value.scalar?.value else {
      findings.error("the address of a remote is a string", at: member.value.location)
      return nil
    }
    do {
      return Entry(name: try checked(name: member.key), address: try RemoteAddress(text), scope: scope)
    } catch {
      findings.error(error.message, at: member.value.location)
      return nil
    }
  }

  private static func checked(name: String) throws(RemoteError) -> String {
    guard RemoteDocument(.tags, name) != nil else {
      throw RemoteError(
        .usage, "'\(VisibleText.line(name, on: .terminal))' cannot be a remote's name: at most 128 letters, digits, '_', '.' and '-'")
    }
    return name
  }

  // MARK: - Changing

  /// Writes a name down; one that is there already has to be removed first.
  package func add(_ name: String, _ address: RemoteAddress, _ scope: Scope) throws {
    let name = try Self.checked(name: name)
    var known = try entries(scope)
    if let other = known.first(where: { $0.name == name }) {
      throw RemoteError(.usage, "there is a remote '\(name)' already: \(other.address); heirloom remote remove \(name) takes it away")
    }
    known.append(Entry(name: name, address: address, scope: scope))
    try write(known, scope)
  }

  /// The project's, or else the user's.
  package func remove(_ name: String) throws -> Entry {
    for scope in Scope.allCases {
      let known = try entries(scope)
      guard let found = known.first(where: { $0.name == name }) else { continue }
      try write(known.filter { $0.name != name }, scope)
      return found
    }
    throw RemoteError(.usage, "no remote '\(VisibleText.line(name, on: .terminal))'")
  }

  private func write(_ entries: [Entry], _ scope: Scope) throws {
    guard let path = path(scope) else { throw RemoteError(.usage, "there is no home directory to keep remotes in") }
    let lines = entries.sorted { $0.name < $1.name }.map { "  \($0.name): \(JSONValue.string($0.address.text).encoded())" }
    let text =
      "# Written by `heirloom remote`. Addresses only: credentials have no place here.\nremotes:\n" + lines.joined(separator: "\n") + "\n"
    let directory = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    try files.makeDirectory(directory)
    let temporary = "\(path).tmp-\(getpid())"
    do {
      try files.write(Array(text.utf8), to: temporary, .lasting)
      try files.rename(temporary, to: path)
    } catch {
      try? files.remove(temporary)
      throw error
    }
  }
}

extension NamedRemotes.Entry {
  package var json: JSONValue { ["name": .string(name), "address": .string(address.text), "scope": .string(scope.rawValue)] }
}
