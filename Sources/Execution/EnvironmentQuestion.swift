import Artifacts
import Hashing
import JSONValues
import Planning

/// What of the machine goes into the keys of a command's instances, asked without its contract. The values are kept as one digest only:
/// a variable's may be a secret.
struct EnvironmentQuestion: Sendable {
  let directory: String
  let sources: [String]
  let versions: [[String]]
  let keyedEnvironment: [String]
  /// The answer that it had.
  let answered: Digest

  init(_ command: StageContract.Command, directory: String, answer: KeyEnvironment) {
    self.directory = directory
    sources = command.sources
    versions = command.versions
    keyedEnvironment = command.keyedEnvironment
    answered = Self.digest(answer)
  }

  /// The answer that it has now; nil when there is none.
  func answer(_ hasher: SourceHasher, _ variables: [String: String]) -> Digest? {
    var environments = KeyEnvironments(sources: hasher, variables: variables, numerics: .native)
    let command = StageContract.Command(words: [], sources: sources, versions: versions, keyedEnvironment: keyedEnvironment)
    return (try? environments.answer(command, in: directory, of: "")).map(Self.digest)
  }

  private static func digest(_ environment: KeyEnvironment) -> Digest {
    CanonicalJSON.digest([
      "sources": .array(environment.sourceDigests.map { .string($0.hex) }),
      "versions": .array(environment.versionOutputs.map { .string($0) }),
      "keyed": .array(environment.keyedEnvironment.map { $0.map { .string($0) } ?? .null }),
    ])
  }

  // MARK: - As JSON

  private static func list(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }

  var json: JSONValue {
    [
      "directory": .string(directory), "sources": Self.list(sources), "versions": .array(versions.map(Self.list)),
      "keyed": Self.list(keyedEnvironment), "answer": .string(answered.hex),
    ]
  }

  init?(json: JSONValue) {
    let strings = { (value: JSONValue?) -> [String]? in
      guard let list = value?.arrayValue else { return nil }
      let texts = list.compactMap(\.stringValue)
      return texts.count == list.count ? texts : nil
    }
    guard let directory = json["directory"]?.stringValue, let sources = strings(json["sources"]), let keyed = strings(json["keyed"]),
      let versions = json["versions"]?.arrayValue, let answer = json["answer"]?.stringValue.flatMap(Digest.init)
    else { return nil }
    let commands = versions.compactMap(strings)
    guard commands.count == versions.count else { return nil }
    self.directory = directory
    self.sources = sources
    self.versions = commands
    keyedEnvironment = keyed
    answered = answer
  }
}
