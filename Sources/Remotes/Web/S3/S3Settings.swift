import Artifacts
import Diagnostics
import JSONValues

/// Where a bucket is and as whom it is spoken to: from the address, then the environment, then AWS's files, as AWS's own tools have it. Nothing
/// of it is kept.
package struct S3Settings: Sendable {
  /// The server and, where it is not in the host's name, the bucket.
  package let base: WebURL
  package let region: String
  /// Nil when nothing is to be signed.
  package let keys: RequestSignature.Keys?
  /// Where the keys were found, to be shown.
  package let origin: String

  package init(_ address: S3Address, environment: [String: String], files: FileSystem = .posix) throws(RemoteError) {
    let reader = try SettingsReader(address, environment, files)
    region = try reader.region()
    base = try reader.base(region)
    (keys, origin) = address.isAnonymous ? (nil, "nobody") : try reader.keys()
  }
}

private struct SettingsReader {
  let address: S3Address
  let environment: [String: String]
  let files: FileSystem
  let profile: String
  /// The profile's part of each file.
  let configuration: [String: String]
  let credentials: [String: String]
  let services: [String: String]

  private static let mostBytes = 1 << 20

  init(_ address: S3Address, _ environment: [String: String], _ files: FileSystem) throws(RemoteError) {
    (self.address, self.environment, self.files) = (address, environment, files)
    func set(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    let home = set("HOME").map { "\($0)/.aws" }
    let named = address.profile ?? set("AWS_PROFILE")
    profile = named ?? "default"
    let first = try Self.read(set("AWS_CONFIG_FILE") ?? home.map { "\($0)/config" }, files)
    let second = try Self.read(set("AWS_SHARED_CREDENTIALS_FILE") ?? home.map { "\($0)/credentials" }, files)
    let found = first.sections["profile \(profile)"] ?? (profile == "default" ? first.sections["default"] : nil)
    if let named, found == nil, second.sections[named] == nil {
      throw RemoteError(.lasting, "\(address.text): there is no AWS profile '\(VisibleText.line(named, on: .terminal))'")
    }
    configuration = found ?? [:]
    credentials = second.sections[profile] ?? [:]
    services = configuration["services"].flatMap { first.sections["services \($0)"] } ?? [:]
  }

  private static func read(_ path: String?, _ files: FileSystem) throws(RemoteError) -> ProfileFile {
    guard let path else { return ProfileFile("") }
    do throws(StoreError) {
      guard let status = try files.status(path), status.kind == .file else { return ProfileFile("") }
      guard status.size <= mostBytes else { throw StoreError("has more than \(mostBytes) bytes", path: path) }
      return ProfileFile(String(decoding: try files.read(path) ?? [], as: UTF8.self))
    } catch { throw RemoteError(.lasting, error.description) }
  }

  private func set(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

  // MARK: - Where

  func region() throws(RemoteError) -> String {
    let region = address.region ?? set("AWS_REGION") ?? set("AWS_DEFAULT_REGION") ?? configuration["region"] ?? "us-east-1"
    guard S3Address.isRegion(region) else {
      throw RemoteError(.lasting, "\(address.text): '\(VisibleText.line(region, on: .terminal))' is no region")
    }
    return region
  }

  func base(_ region: String) throws(RemoteError) -> WebURL {
    let given = try endpoint()
    let domain = region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
    var url = given ?? WebURL(.https, host: "s3.\(region).\(domain)")
    // A certificate for `*.server` covers no bucket with a dot in its name, and few servers of one's own have names for buckets.
    let isPathStyle = address.isPathStyle ?? (given != nil || address.bucket.contains("."))
    var path = url.path
    while path.hasSuffix("/") { path.removeLast() }
    url.path = isPathStyle ? "\(path)/\(address.bucket)" : path
    if !isPathStyle { url.host = "\(address.bucket).\(url.host)" }
    return url
  }

  private func endpoint() throws(RemoteError) -> WebURL? {
    if let endpoint = address.endpoint { return endpoint }
    if set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")?.lowercased() == "true" { return nil }
    let found = set("AWS_ENDPOINT_URL_S3") ?? set("AWS_ENDPOINT_URL") ?? services["s3.endpoint_url"] ?? configuration["endpoint_url"]
    return try found.map { text throws(RemoteError) in try S3Address.endpoint(text, address.text) }
  }

  // MARK: - Who

  /// A profile named in the address is meant; one of the environment stands behind keys of the environment.
  func keys() throws(RemoteError) -> (RequestSignature.Keys, String) {
    if address.profile == nil, let id = set("AWS_ACCESS_KEY_ID"), let secret = set("AWS_SECRET_ACCESS_KEY") {
      return (RequestSignature.Keys(id: id, secret: secret, session: set("AWS_SESSION_TOKEN")), "the environment")
    }
    for section in [credentials, configuration] {
      guard let id = section["aws_access_key_id"], let secret = section["aws_secret_access_key"] else { continue }
      return (RequestSignature.Keys(id: id, secret: secret, session: section["aws_session_token"]), "the profile '\(profile)'")
    }
    if let process = configuration["credential_process"] ?? credentials["credential_process"] {
      return (try ask(process), "credential_process")
    }
    throw RemoteError(.lasting, "\(address.text): \(noKeys)")
  }

  private var noKeys: String {
    let elsewhere = ["sso_session", "sso_start_url", "role_arn", "web_identity_token_file", "login_session"].first {
      configuration[$0] != nil
    }
    if let elsewhere {
      return """
        the profile '\(profile)' gets its keys by \(elsewhere), which is not known here; \
        `eval "$(aws configure export-credentials --format env)"` puts them where they are found
        """
    }
    return "no AWS keys in the environment or in the profile '\(profile)'; anonymous=1 asks without any"
  }

  /// The user's own program, split at spaces as the shell would with quotes.
  private func ask(_ command: String) throws(RemoteError) -> RequestSignature.Keys {
    let words = Self.words(command)
    guard !words.isEmpty else { throw RemoteError(.lasting, "\(address.text): credential_process is empty") }
    do throws(HelperProgram.Failure) {
      let output = try HelperProgram.run(words, input: "", environment: environment)
      let answer: JSONValue? = try? JSONValue(parsing: output, maximumDepth: 8)
      guard let id = answer?["AccessKeyId"]?.stringValue, let secret = answer?["SecretAccessKey"]?.stringValue else {
        throw HelperProgram.Failure(message: "its answer has no AccessKeyId and SecretAccessKey")
      }
      return RequestSignature.Keys(id: id, secret: secret, session: answer?["SessionToken"]?.stringValue)
    } catch {
      throw RemoteError(.lasting, "\(address.text): credential_process: \(VisibleText.line(error.message, on: .terminal))")
    }
  }

  static func words(_ command: String) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    for character in command {
      if let open = quote {
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
      } else if character == "\"" || character == "'" {
        (quote, word) = (character, word ?? "")
      } else if character.isWhitespace {
        if let done = word { words.append(done) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    return words + (word.map { [$0] } ?? [])
  }
}
