import Foundation
import Hashing
import JSONValues
import Planning
import StageInterface
import Stages
import Testing

/// Runs native stages in this process, each in a directory of its own, as the runner would: parameters complete, inputs by path.
final class Bench: Sendable {
  let path: String

  init(_ path: String = Bench.freshPath()) throws {
    self.path = path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  static func freshPath() -> String { FileManager.default.temporaryDirectory.path + "/heirloom-stages-" + UUID().uuidString }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  // MARK: - Contracts

  static let project = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .path

  static let catalogue = StageCatalogue(directories: [project + "/stages"])

  /// `scripts/check-numerics` runs the recorded bytes at other counts.
  static let threads = ProcessInfo.processInfo.environment["HEIRLOOM_TEST_THREADS"].flatMap(Int.init) ?? 1

  /// The contracts of the native stages, by the name that the program knows.
  static let contracts: [StageContract] = catalogue.all().contracts.filter { if case .native = $0.run { true } else { false } }

  static func contract(_ name: String) throws -> StageContract {
    try #require(contracts.first { $0.name == name }, "stages/\(name).yaml")
  }

  static func modelingFixture(_ name: String) -> String { project + "/Tests/ModelingTests/Fixtures/" + name }

  // MARK: - Running

  /// Runs a stage on these inputs; parameters that are not given have their defaults.
  func run(
    _ stage: String, _ parameters: JSONValue = [:], inputs: [(String, [Given])] = [], threads: Int = Bench.threads
  ) throws -> Outcome {
    let contract = try Self.contract(stage)
    let runner = try #require(NativeStages.all.first { $0.name == stage })
    let work = path + "/" + UUID().uuidString
    for directory in ["out", "checkpoint"] {
      try FileManager.default.createDirectory(atPath: "\(work)/\(directory)", withIntermediateDirectories: true)
    }
    let complete = try Self.complete(parameters, contract)
    let outputs = contract.outputs.filter { $0.isGiven(complete) }
    let order = StageOrder(
      stage: stage, version: contract.version, native: stage, parameters: complete,
      inputs: contract.inputs.map { declaration in
        let elements = inputs.first { $0.0 == declaration.name }?.1 ?? []
        return StageOrder.Input(
          name: declaration.name, type: declaration.types[0].rawValue, isList: declaration.isList,
          elements: elements.map { StageOrder.Element(path: $0.path, digest: $0.digest, labels: $0.labels) })
      },
      outputs: outputs.map { StageOrder.Output(name: $0.name, type: $0.type.rawValue, path: "\(work)/out/\($0.name)") },
      checkpointDirectory: work + "/checkpoint", eventsPath: work + "/events.jsonl", threads: threads, numerics: "native")
    try runner(StageContext(order: order))
    return Outcome(bench: self, directory: work + "/out", names: outputs.map(\.name))
  }

  /// What goes wrong when the stage runs, with this bench's directory taken out of the text; nil when nothing does.
  func failure(_ stage: String, _ parameters: JSONValue = [:], inputs: [(String, [Given])] = []) -> String? {
    do {
      _ = try run(stage, parameters, inputs: inputs)
      return nil
    } catch { return shown(error) }
  }

  /// An error's text without this bench's directory.
  func shown(_ error: any Error) -> String { "\(error)".replacingOccurrences(of: path + "/", with: "") }

  private static func complete(_ parameters: JSONValue, _ contract: StageContract) throws -> JSONObject {
    let given = try #require(parameters.objectValue)
    for name in given.keys { try #require(contract.parameter(name) != nil, "\(contract.name) has no parameter '\(name)'") }
    return JSONObject(
      try contract.parameters.map { declaration in
        (
          declaration.name,
          try #require(given[declaration.name] ?? declaration.initial.value, "\(contract.name) needs '\(declaration.name)'")
        )
      })
  }

  // MARK: - Files

  @discardableResult func write(_ text: String, _ name: String) throws -> Given { try write(Array(text.utf8), name) }

  @discardableResult func write(_ bytes: [UInt8], _ name: String) throws -> Given {
    let file = path + "/" + name
    try FileManager.default.createDirectory(atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try? FileManager.default.removeItem(atPath: file)
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return Given(file)
  }

  /// A copy of a directory that may be spoilt.
  func copy(_ given: Given, to name: String) throws -> Given {
    try FileManager.default.copyItem(atPath: given.path, toPath: path + "/" + name)
    return Given(path + "/" + name)
  }
}

/// Something handed to a stage.
struct Given: Sendable {
  let path: String
  var labels: JSONObject?
  /// Whose directory it lies in, to keep it there.
  private let bench: Bench?

  init(_ path: String, labels: JSONObject? = nil, in bench: Bench? = nil) { (self.path, self.labels, self.bench) = (path, labels, bench) }

  /// Of the content, as far as there is any.
  var digest: String { "sha256:" + ((try? StagesTests.digest(of: path)) ?? "") }

  func labelled(_ labels: JSONObject) -> Given { Given(path, labels: labels, in: bench) }

  /// A file in this directory.
  subscript(name: String) -> Given { Given(path + "/" + name, in: bench) }
}

/// What a stage has written.
struct Outcome {
  let bench: Bench
  let directory: String
  let names: [String]

  subscript(name: String) -> Given { Given(directory + "/" + name, in: bench) }

  /// Of every byte of every output, by name.
  func digests() throws -> [String: String] {
    Dictionary(uniqueKeysWithValues: try names.map { ($0, try digest(of: self[$0].path)) })
  }
}

/// Of a file's bytes, or of the names and bytes of all files in a directory.
func digest(of path: String) throws -> String {
  guard let names = FileManager.default.subpaths(atPath: path), !names.isEmpty else { return try Digest.ofFile(path).digest.hex }
  var lines: [String] = []
  for name in names.sorted() {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path + "/" + name, isDirectory: &isDirectory), !isDirectory.boolValue else { continue }
    lines.append("\(name) \(try Digest.ofFile(path + "/" + name).digest.hex)")
  }
  return Digest(hashing: lines.joined(separator: "\n")).hex
}

func text(of given: Given) throws -> String { try String(contentsOfFile: given.path, encoding: .utf8) }

func json(of given: Given) throws -> JSONValue { try JSONValue(parsing: Array(Data(contentsOf: URL(fileURLWithPath: given.path)))) }

/// JSON values, one a line.
func rows(of given: Given) throws -> [JSONValue] {
  try text(of: given).split(separator: "\n").map { try JSONValue.parse(String($0)) }
}

func numbers(_ json: JSONValue?) throws -> [Double] {
  let values = try #require(json?.arrayValue)
  return values.compactMap(\.numberValue)
}

func strings(_ json: JSONValue?) throws -> [String] {
  let values = try #require(json?.arrayValue)
  return values.compactMap(\.stringValue)
}

/// Compares a whole message.
func expect(_ found: String?, is wanted: String, sourceLocation: SourceLocation = #_sourceLocation) {
  #expect(found == wanted, sourceLocation: sourceLocation)
}
