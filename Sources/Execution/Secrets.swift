import Hashing
import JSONValues
import Planning

/// Which variables hold what nobody may read, by their names, and how their values are kept out of what is written down.
package enum Secrets {
  private static let words = [
    "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "CREDENTIALS", "KEY", "APIKEY", "AUTH", "PAT",
  ]
  /// Words that end another: `MYTOKEN`, `APIKEY`.
  private static let endings = ["TOKEN", "SECRET", "PASSWORD", "APIKEY"]
  /// Shorter values stand in every text.
  private static let shortest = 4

  /// `HF_TOKEN`, `AWS_SECRET_ACCESS_KEY`; not `TOKENIZERS_PARALLELISM`.
  package static func looksSecret(_ name: String) -> Bool {
    name.uppercased().split(separator: "_").contains { part in
      words.contains { $0 == part } || endings.contains { part.hasSuffix($0) }
    }
  }

  /// What the warden is told of a variable: its name; `?` before it when only a password in a URL is secret; nil when nothing is.
  static func mask(_ name: String, _ value: String) -> String? {
    if looksSecret(name) { return name }
    return password(in: value) == nil ? nil : "?" + name
  }

  /// What stands in a key for a variable's value: keys are stored with results.
  static func keyed(_ name: String, _ value: String?) -> String? {
    guard let value, mask(name, value) != nil else { return value }
    return Digest(hashing: "\(name)=\(value)").text
  }

  /// The values that are masked in what the runner itself writes: events, metrics, errors. The longest first.
  static func values(_ contract: StageContract, _ parameters: JSONObject, _ variables: [String: String]) -> [String] {
    // What a parameter names is there to be kept to itself, whatever it is called.
    var values = contract.namedVariables(parameters).compactMap { variables[$0] }
    var names: [String] = []
    if case .command(let command) = contract.run { names = command.environment + command.keyedEnvironment }
    for name in names {
      guard let value = variables[name] else { continue }
      if let password = password(in: value) {
        values.append(password)
      } else if looksSecret(name) {
        values += [value] + value.split(separator: "\n").map(String.init)
      }
    }
    return values.filter { $0.utf8.count >= shortest }.sorted { $0.utf8.count > $1.utf8.count }
  }

  /// `https://user:password@host`.
  private static func password(in value: String) -> String? {
    guard let scheme = value.firstRange(of: "://") else { return nil }
    let rest = value[scheme.upperBound...]
    guard let at = rest.firstIndex(of: "@"), let colon = rest[..<at].firstIndex(of: ":") else { return nil }
    return String(rest[rest.index(after: colon)..<at])
  }

  /// `text` with every value as `***`.
  static func masked(_ text: String, _ values: [String]) -> String {
    guard !values.isEmpty else { return text }
    return String(decoding: masked(Array(text.utf8), values), as: UTF8.self)
  }

  static func masked(_ bytes: [UInt8], _ values: [String]) -> [UInt8] {
    guard !values.isEmpty else { return bytes }
    let secrets = values.map { Array($0.utf8) }
    var clean: [UInt8] = []
    clean.reserveCapacity(bytes.count)
    var place = 0
    while place < bytes.count {
      if let secret = secrets.first(where: { bytes[place...].starts(with: $0) }) {
        clean += Array("***".utf8)
        place += secret.count
      } else {
        clean.append(bytes[place])
        place += 1
      }
    }
    return clean
  }
}
