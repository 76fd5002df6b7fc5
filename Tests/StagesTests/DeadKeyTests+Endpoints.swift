import JSONValues
import ScriptedServers

/// The rows of `endpoint`: two models of one server, which says its model's name.
extension DeadKeyTests {
  private static let server = Result {
    try ScriptedServer { request, _ in
      let model = (try? JSONValue.parse(request.text))?["model"]?.stringValue ?? ""
      return .json(AnswerText.completion(" \(model)"))
    }
  }

  private static func named(_ model: String) -> JSONValue {
    AnswerText.endpoint((try? server.get().url) ?? "", [("model", .string(model))])
  }

  static let endpoints: [Probe] = [
    Probe("evaluate", "endpoint", named("a a"), named("b b")), Probe("rollout", "endpoint", named("a a"), named("b b")),
  ]
}

/// What tests let servers answer, and how they are named in parameters.
enum AnswerText {
  static func completion(_ text: String, finish: String = "stop", _ more: String = "") -> String {
    #"{"choices":[{"text":\#(JSONValue.string(text).encoded()),"finish_reason":"\#(finish)"\#(more)}]}"#
  }

  /// The record as the stage's parameters have it, defaults filled in.
  static func endpoint(_ url: String?, _ more: [(String, JSONValue)] = []) -> JSONValue {
    var record = JSONObject([
      ("url", url.map { .string($0) } ?? .null), ("command", .null), ("model", "m"), ("revision", .null), ("api", "completions"),
      ("arguments", "all"), ("log_probabilities", true), ("extra", [:]), ("api_key_variable", .null), ("concurrency", 4), ("timeout", 30),
      ("start_timeout", 5), ("retries", 2),
    ])
    for (name, value) in more { record.set(name, value) }
    return .object(record)
  }
}
