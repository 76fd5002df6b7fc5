import Artifacts
import Diagnostics
import JSONValues

/// Who the user is to a registry, as `docker login`, `podman login` and their credential helpers left it. It sends nothing.
package struct RegistryCredentials: Sendable {
  package enum Credential: Sendable, Equatable {
    case password(user: String, String)
    /// To be exchanged for tokens at the registry's token server.
    case identity(String)

    /// The user's name, to be shown.
    var user: String? { if case .password(let user, _) = self { user } else { nil } }
  }

  private let environment: [String: String]
  private let files: FileSystem
  private static let mostBytes = 1 << 20

  package init(environment: [String: String], files: FileSystem = .posix) {
    self.environment = environment
    self.files = files
  }

  /// The first that knows the registry; nil when none does. Helpers are programs and are waited for.
  package func find(_ registry: String, repository: String) throws(RemoteError) -> Credential? {
    for path in paths {
      guard let configuration = try read(path) else { continue }
      if let helper = helper(configuration, registry), let credential = try ask(helper, registry, path) { return credential }
      if let entry = entry(configuration, registry, repository), let credential = try decode(entry, path, registry) { return credential }
    }
    return nil
  }

  /// In the order in which other clients look, Docker's first.
  private var paths: [String] {
    func set(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    let docker = set("DOCKER_CONFIG") ?? set("HOME").map { "\($0)/.docker" }
    let run = set("XDG_RUNTIME_DIR").map { "\($0)/containers/auth.json" }
    return [set("REGISTRY_AUTH_FILE"), docker.map { "\($0)/config.json" }, run].compactMap { $0 }
  }

  private func read(_ path: String) throws(RemoteError) -> JSONValue? {
    do throws(StoreError) {
      guard let status = try files.status(path), status.kind == .file else { return nil }
      guard status.size <= Self.mostBytes else { throw StoreError("has more than \(Self.mostBytes) bytes", path: path) }
      guard let bytes = try files.read(path) else { return nil }
      do throws(JSONError) { return try JSONValue(parsing: bytes, maximumDepth: 16) } catch {
        throw StoreError(error.description, path: path)
      }
    } catch { throw RemoteError(.lasting, error.description) }
  }

  // MARK: - Entries

  private func entry(_ configuration: JSONValue, _ registry: String, _ repository: String) -> JSONValue? {
    guard let entries = configuration["auths"]?.objectValue else { return nil }
    // The most particular first: containers' files may speak of a part of a registry.
    var place = "\(registry)/\(repository)"
    while true {
      if let entry = entries.members.first(where: { Self.place($0.key) == place }) { return entry.value }
      guard let slash = place.lastIndex(of: "/") else { break }
      place = String(place[..<slash])
    }
    return nil
  }

  /// `https://registry.example/v1/` is how older versions wrote `registry.example`.
  package static func place(_ key: String) -> String {
    var key = key[...]
    if let scheme = key.firstRange(of: "://") { key = key[scheme.upperBound...] }
    for end in ["/", "/v1", "/v2"] where key.hasSuffix(end) { key = key.dropLast(end.count) }
    if ["index.docker.io", "registry-1.docker.io"].contains(key) { return "docker.io" }
    return String(key)
  }

  private func decode(_ entry: JSONValue, _ path: String, _ registry: String) throws(RemoteError) -> Credential? {
    if let token = entry["identitytoken"]?.stringValue, !token.isEmpty { return .identity(token) }
    if let user = entry["username"]?.stringValue, let password = entry["password"]?.stringValue { return .password(user: user, password) }
    guard let encoded = entry["auth"]?.stringValue, !encoded.isEmpty else { return nil }
    let text = Base64.decoded(encoded).flatMap { String(validating: $0, as: UTF8.self) }
    guard let text, let colon = text.firstIndex(of: ":") else {
      throw RemoteError(.lasting, "\(path): the entry for \(registry) is not NAME:PASSWORD in base64; log in again")
    }
    let password = text[text.index(after: colon)...].prefix { $0 != "\0" }
    return .password(user: String(text[..<colon]), String(password))
  }

  // MARK: - Helpers

  private func helper(_ configuration: JSONValue, _ registry: String) -> String? {
    let own = configuration["credHelpers"]?.objectValue?.members.first { Self.place($0.key) == registry }
    return own?.value.stringValue ?? configuration["credsStore"]?.stringValue
  }

  private func ask(_ helper: String, _ registry: String, _ path: String) throws(RemoteError) -> Credential? {
    guard !helper.isEmpty else { return nil }
    guard RemoteDocument(.tags, helper) != nil else {
      throw RemoteError(.lasting, "\(path): '\(VisibleText.line(helper, on: .terminal))' is no name of a credential helper")
    }
    let program = "docker-credential-\(helper)"
    let server = registry == "docker.io" ? "https://index.docker.io/v1/" : registry
    do throws(HelperProgram.Failure) {
      let output = try HelperProgram.run([program, "get"], input: server, environment: environment)
      return try Self.decode(output)
    } catch {
      // Its way of saying that it knows none.
      if error.message.contains("credentials not found") { return nil }
      throw RemoteError(.lasting, "\(program), which \(path) names: \(VisibleText.line(error.message, on: .terminal))")
    }
  }

  private static func decode(_ output: [UInt8]) throws(HelperProgram.Failure) -> Credential {
    let answer: JSONValue? = try? JSONValue(parsing: output, maximumDepth: 8)
    guard let user = answer?["Username"]?.stringValue, let secret = answer?["Secret"]?.stringValue else {
      throw HelperProgram.Failure(message: "its answer has no Username and Secret")
    }
    return user == "<token>" ? .identity(secret) : .password(user: user, secret)
  }
}
