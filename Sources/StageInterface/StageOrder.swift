import Foundation
import JSONValues

/// `stage.json`: everything one stage process is told. It names no recipe, instance or run, for none of those may shape a result.
package struct StageOrder: Sendable, Equatable {
  /// One thing handed to a stage: where it lies, what it is, and its axis values where the contract asks for them.
  package struct Element: Sendable, Equatable {
    package var path: String
    /// `sha256:` and 64 hexadecimal digits.
    package var digest: String
    package var labels: JSONObject?

    package init(path: String, digest: String, labels: JSONObject? = nil) {
      self.path = path
      self.digest = digest
      self.labels = labels
    }
  }

  package struct Input: Sendable, Equatable {
    package var name: String
    package var type: String
    package var isList: Bool
    package var elements: [Element]

    package init(name: String, type: String, isList: Bool, elements: [Element]) {
      self.name = name
      self.type = type
      self.isList = isList
      self.elements = elements
    }
  }

  package struct Output: Sendable, Equatable {
    package var name: String
    package var type: String
    /// Where the stage creates it: a file or a directory, by type.
    package var path: String

    package init(name: String, type: String, path: String) {
      self.name = name
      self.type = type
      self.path = path
    }
  }

  /// The contract's name and version, `train/sft` and 1.
  package var stage: String
  package var version: Int
  /// The native implementation's name; nil for a command.
  package var native: String?
  /// The argument words of a command, expanded; empty for a native stage.
  package var command: [String]
  /// Every parameter, defaults filled in.
  package var parameters: JSONObject
  package var inputs: [Input]
  package var outputs: [Output]
  package var checkpointDirectory: String
  package var eventsPath: String
  package var threads: Int
  /// `native` or `portable`.
  package var numerics: String

  package init(
    stage: String, version: Int, native: String?, command: [String] = [], parameters: JSONObject, inputs: [Input], outputs: [Output],
    checkpointDirectory: String, eventsPath: String, threads: Int, numerics: String
  ) {
    self.stage = stage
    self.version = version
    self.native = native
    self.command = command
    self.parameters = parameters
    self.inputs = inputs
    self.outputs = outputs
    self.checkpointDirectory = checkpointDirectory
    self.eventsPath = eventsPath
    self.threads = threads
    self.numerics = numerics
  }
}

// MARK: - As JSON

extension StageOrder {
  package var json: JSONValue {
    var object = JSONObject([
      ("stage", .string(stage)), ("version", .integer(version)), ("parameters", .object(parameters)),
      ("inputs", .array(inputs.map(\.json))), ("outputs", .array(outputs.map(\.json))),
      ("checkpoint", .string(checkpointDirectory)), ("events", .string(eventsPath)), ("threads", .integer(threads)),
      ("numerics", .string(numerics)),
    ])
    if let native { object.set("native", .string(native)) }
    if !command.isEmpty { object.set("command", .array(command.map(JSONValue.string))) }
    return .object(object)
  }

  package init(json: JSONValue) throws {
    let wire = try json.decode(Wire.self)
    self.init(
      stage: wire.stage, version: wire.version, native: wire.native, command: wire.command ?? [], parameters: wire.parameters,
      inputs: wire.inputs.map {
        Input(
          name: $0.name, type: $0.type, isList: $0.list,
          elements: $0.elements.map { Element(path: $0.path, digest: $0.digest, labels: $0.labels) })
      },
      outputs: wire.outputs.map { Output(name: $0.name, type: $0.type, path: $0.path) }, checkpointDirectory: wire.checkpoint,
      eventsPath: wire.events, threads: wire.threads, numerics: wire.numerics)
  }

  package static func load(_ path: String) throws -> StageOrder {
    try StageOrder(json: JSONValue(parsing: Array(Data(contentsOf: URL(fileURLWithPath: path)))))
  }

  private struct Wire: Decodable {
    struct Element: Decodable {
      var path: String
      var digest: String
      var labels: JSONObject?
    }
    struct Input: Decodable {
      var name: String
      var type: String
      var list: Bool
      var elements: [Element]
    }
    struct Output: Decodable {
      var name: String
      var type: String
      var path: String
    }
    var stage: String
    var version: Int
    var native: String?
    var command: [String]?
    var parameters: JSONObject
    var inputs: [Input]
    var outputs: [Output]
    var checkpoint: String
    var events: String
    var threads: Int
    var numerics: String
  }
}

extension StageOrder.Input {
  fileprivate var json: JSONValue {
    [
      "name": .string(name), "type": .string(type), "list": .bool(isList),
      "elements": .array(
        elements.map { element in
          var object = JSONObject([("path", .string(element.path)), ("digest", .string(element.digest))])
          if let labels = element.labels { object.set("labels", .object(labels)) }
          return .object(object)
        }),
    ]
  }
}

extension StageOrder.Output {
  fileprivate var json: JSONValue { ["name": .string(name), "type": .string(type), "path": .string(path)] }
}
