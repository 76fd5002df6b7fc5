import Endpoint
import Foundation
import JSONValues
import StageInterface

/// `endpoint` of `rollout` and `evaluate`: a server that answers in the model's place.
struct EndpointParameters: Decodable, Sendable {
  let url: String?
  let command: [String]?
  let model: String?
  let revision: String?
  let api: String
  let arguments: String
  let logProbabilities: Bool
  let extra: JSONObject
  let apiKeyVariable: String?
  let concurrency: Int
  let timeout: Double
  let startTimeout: Double
  let retries: Int

  var isChat: Bool { api == "chat" }

  /// - Throws: for what contradicts itself or the stage's inputs.
  func check(_ context: StageContext) throws(StageFailure) {
    guard context.inputs("adapter").isEmpty else {
      throw StageFailure("endpoint: a server knows nothing of the input 'adapter'; merge it first, or name it in endpoint.model")
    }
    let hasModel = !context.inputs("model").isEmpty
    switch (url, command) {
    case (nil, nil): throw StageFailure("endpoint: either 'url', of a server that runs, or 'command', which starts one, is needed")
    case (_?, _?): throw StageFailure("endpoint: 'url' is of a server that runs and 'command' starts one; only one of them can be meant")
    case (_?, nil):
      guard !hasModel else {
        throw StageFailure("endpoint.url: the server has a model of its own, so the input 'model' would say what is not so; leave it out")
      }
      guard model != nil else { throw StageFailure("endpoint.model: what the server at 'url' calls its model is needed; it is in the key") }
    case (nil, _?):
      guard hasModel else { throw StageFailure("endpoint.command: the server is started on the input 'model', which is missing") }
    }
  }

  /// The value of the variable that holds the key.
  func key() throws(StageFailure) -> String? {
    guard let apiKeyVariable else { return nil }
    guard let value = ProcessInfo.processInfo.environment[apiKeyVariable], !value.isEmpty else {
      throw StageFailure("endpoint.api_key_variable: the environment variable \(apiKeyVariable) is not set")
    }
    guard value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw StageFailure(
        "endpoint.api_key_variable: what \(apiKeyVariable) holds cannot be sent: it has spaces or other characters than a key")
    }
    return value
  }

  /// What `plan` says of a stage that asks a server.
  static func notes(_ parameters: JSONObject) -> [String] {
    guard let endpoint = parameters["endpoint"], let url = endpoint["url"]?.stringValue else { return [] }
    let name = endpoint["model"]?.stringValue ?? "a model"
    let revision = endpoint["revision"]?.stringValue
    let known = revision.map { "taken to be revision \($0)" } ?? "endpoint.revision does not say which"
    return ["asks '\(name)' at \(url): its bytes are not looked at, \(known), and the answers cannot be checked by computing them again"]
  }
}
