import Artifacts
import Glibc
import Hashing
import Planning

/// What a contract adds to the keys of its instances: digests of its sources, what its version commands print, variables. Looked up
/// once a contract and run, version commands once for all contracts that name the same.
struct KeyEnvironments {
  private let sources: SourceHasher
  private let variables: [String: String]
  private let numerics: NumericsClass
  private var known: [ObjectIdentifier: Result<KeyEnvironment, KeyProblem>] = [:]
  private var printed: [[String]: Result<String, KeyProblem>] = [:]

  init(sources: SourceHasher, variables: [String: String], numerics: NumericsClass) {
    self.sources = sources
    self.variables = variables
    self.numerics = numerics
  }

  mutating func environment(of contract: StageContract) throws(KeyProblem) -> KeyEnvironment {
    let identity = ObjectIdentifier(contract)
    if let known = known[identity] { return try known.get() }
    let result: Result<KeyEnvironment, KeyProblem>
    do throws(KeyProblem) { result = .success(try make(contract)) } catch { result = .failure(error) }
    known[identity] = result
    return try result.get()
  }

  private mutating func make(_ contract: StageContract) throws(KeyProblem) -> KeyEnvironment {
    guard case .command(let command) = contract.run else { return KeyEnvironment(numerics: numerics) }
    return try answer(command, in: contract.directory, of: contract.name)
  }

  /// `directory` and `name` are the contract's.
  mutating func answer(_ command: StageContract.Command, in directory: String, of name: String) throws(KeyProblem) -> KeyEnvironment {
    var digests: [Digest] = []
    for source in command.sources {
      let path = source.hasPrefix("/") ? source : "\(directory)/\(source)"
      do { digests.append(try sources.content(of: path).digest) } catch {
        throw KeyProblem(message: "source \(source) of \(name): \(KeyProblem.text(error))")
      }
    }
    var outputs: [String] = []
    for words in command.versions { outputs.append(try print(words, in: directory)) }
    return KeyEnvironment(
      sourceDigests: digests, versionOutputs: outputs, keyedEnvironment: command.keyedEnvironment.map { Secrets.keyed($0, variables[$0]) },
      numerics: numerics)
  }

  /// What a command prints, standard output and error together, without blank space at the end.
  private mutating func print(_ words: [String], in directory: String) throws(KeyProblem) -> String {
    let place = words + [directory]
    if let known = printed[place] { return try known.get() }
    let result = run(words, in: directory)
    printed[place] = result
    return try result.get()
  }

  private func run(_ words: [String], in directory: String) -> Result<String, KeyProblem> {
    do throws(SpawnFailure) {
      let ends = try Lifeline.pipe()
      defer { close(ends.read) }
      let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
      defer { close(nothing) }
      let child = ChildProcess()
      let order = ProcessOrder(
        words: words, directory: directory, environment: StageEnvironment.base(variables),
        descriptors: [(nothing, 0), (ends.write, 1), (ends.write, 2)])
      do { _ = try child.start(order) } catch {
        close(ends.write)
        throw error
      }
      close(ends.write)
      var text: [UInt8] = []
      var piece = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = read(ends.read, &piece, piece.count)
        if count == 0 || (count < 0 && errno != EINTR) { break }
        if count > 0 && text.count < 1 << 20 { text += piece[..<count] }
      }
      let end = child.wait()
      while let last = text.last, last <= 0x20 { text.removeLast() }
      let printed = String(decoding: text, as: UTF8.self)
      guard end == .exited(0) else {
        return .failure(KeyProblem(message: "the version command '\(words.joined(separator: " "))' \(end.description): \(printed)"))
      }
      return .success(printed)
    } catch { return .failure(KeyProblem(message: "the version command '\(words.joined(separator: " "))': \(error.message)")) }
  }
}

/// Why an instance has no key: something it is made of cannot be read. The user's to mend.
struct KeyProblem: Error, Equatable {
  let message: String

  static func text(_ error: any Error) -> String {
    switch error {
    case let error as SourceProblem: error.message
    case let error as KeyProblem: error.message
    default: "\(error)"
    }
  }
}

extension ProcessEnd: CustomStringConvertible {
  /// What it did, in the past tense: "exited with status 3".
  package var description: String {
    switch self {
    case .exited(let status): "exited with status \(status)"
    case .signalled(let number): "was ended by signal \(number) (\(String(cString: strsignal(number))))"
    }
  }
}
