import Foundation
import JSONValues
import ScriptedServers
import Synchronization
import Testing

/// `rollout` and `evaluate` with a server in the model's place.
@Suite("Stages that ask a server") struct EndpointStageTests {
  private let bench: Bench
  private let materials: Materials

  init() throws {
    bench = try Bench()
    materials = try Materials.get()
  }

  private static func question(_ request: ScriptedServer.Request) -> JSONValue { (try? JSONValue.parse(request.text)) ?? .null }

  /// What a completion says: the prompt turned round, and the seed.
  private static func answer(_ request: ScriptedServer.Request) -> String {
    let question = question(request)
    return " \(question["prompt"]?.stringValue?.suffix(5) ?? "") \(question["seed"]?.integerValue ?? 0)"
  }

  private static func prompts(_ m: Materials) -> [(String, [Given])] { [("prompts", [m.records]), ("tokenizer", [m.tokenizer])] }

  private func rollout(_ endpoint: JSONValue, _ more: [(String, JSONValue)] = [], _ inputs: [(String, [Given])]? = nil) throws -> Outcome {
    var parameters = JSONObject([("limit", 5), ("num_generations", 3), ("max_completion_length", 8), ("endpoint", endpoint)])
    for (name, value) in more { parameters.set(name, value) }
    return try bench.run("rollout", .object(parameters), inputs: inputs ?? Self.prompts(materials))
  }

  private func failure(_ stage: String, _ endpoint: JSONValue, _ inputs: [(String, [Given])]) -> String? {
    bench.failure(stage, ["endpoint": endpoint], inputs: inputs)
  }

  // MARK: - Rollouts

  @Test("rollouts are the same however many requests are under way, each with its own seed; rewards are given over the text")
  func order() throws {
    let seeds = Mutex<[Int]>([])
    let server = try ScriptedServer { request, _ in
      seeds.withLock { $0.append(Self.question(request)["seed"]?.integerValue ?? -1) }
      return .json(AnswerText.completion(Self.answer(request)))
    }
    defer { server.stop() }
    let one = try rollout(AnswerText.endpoint(server.url, [("concurrency", 1)]))
    let all = try rollout(AnswerText.endpoint(server.url, [("concurrency", 15)]))
    #expect(try one.digests() == all.digests())
    #expect(server.requests.count == 30 && Set(seeds.withLock { $0 }).count == 15)
    let first = try #require(try rows(of: one["rollouts"]).first)
    let sample = try #require(first["completions"]?[0])
    #expect(try numbers(first["prompt_ids"]).isEmpty == false && numbers(sample["ids"]).isEmpty == false)
    #expect(sample["logprobs"] == .null && sample["reward"] == 0 && first["sampling_temperature"] == 1)
  }

  @Test("tokens and log-probabilities that the server names are kept, at the temperature that they are said of")
  func tokens() throws {
    let server = try ScriptedServer { _, _ in
      .json(
        AnswerText.completion(
          " a", #","token_ids":[9,2],"prompt_token_ids":[7,8],"logprobs":{"tokens":[" a",""],"token_logprobs":[-0.25,-0.5]}"#))
    }
    defer { server.stop() }
    let plain = [("prompts", [materials.records])]
    let drawn = try #require(try rows(of: rollout(AnswerText.endpoint(server.url), [], plain)["rollouts"]).first)
    #expect(try numbers(drawn["completions"]?[0]?["logprobs"]) == [-0.25, -0.5] && numbers(drawn["prompt_ids"]) == [7, 8])
    let warm = try #require(try rows(of: rollout(AnswerText.endpoint(server.url), [("temperature", 0.7)], plain)["rollouts"]).first)
    #expect(warm["completions"]?[0]?["logprobs"] == .null && warm["completions"]?[0]?["ids"] == [9, 2])
  }

  @Test("without token ids and without a tokenizer the first answer ends it")
  func noTokens() throws {
    let server = try ScriptedServer { request, _ in .json(AnswerText.completion(Self.answer(request))) }
    defer { server.stop() }
    let said = try #require(failure("rollout", AnswerText.endpoint(server.url, [("concurrency", 1)]), [("prompts", [materials.records])]))
    #expect(said.hasSuffix("the server gives no token ids (token_ids); give the stage the input 'tokenizer', which makes them"))
    #expect(server.requests.count == 1)
  }

  @Test("train/rft says that a policy ratio needs log-probabilities; the filters do without")
  func consumers() throws {
    let server = try ScriptedServer { request, number in
      .json(AnswerText.completion(number % 2 == 0 ? " a" : Self.answer(request)))
    }
    defer { server.stop() }
    let variety: JSONValue = [["name": "accuracy", "kind": "repetition", "ngram_size": 1, "weight": -1]]
    let rollouts = try rollout(AnswerText.endpoint(server.url), [("rewards", variety)])["rollouts"]
    let said = bench.failure(
      "train/rft", ["learning_rate": 0.01, "max_steps": 1, "num_generations": 3, "max_completion_length": 8],
      inputs: [("model", [materials.model]), ("rollouts", [rollouts])])
    #expect(try #require(said).contains("rollouts:1: the completions have no log-probabilities, and a policy ratio needs them"))
    let kept = try bench.run(
      "filter/rif", ["filter_key": "accuracy", "threshold": 0.5, "when_empty": "keep_all"], inputs: [("rollouts", [rollouts])])
    #expect(try rows(of: kept["kept"]).count == 5)
  }

  @Test("conversations go as messages to chat, and their template makes a text of them for completions")
  func chat() throws {
    let server = try ScriptedServer { request, _ in
      let isChat = request.path.hasSuffix("chat/completions")
      let text = AnswerText.completion(" a")
      return .json(isChat ? #"{"choices":[{"message":{"content":" a"},"finish_reason":"stop"}]}"# : text)
    }
    defer { server.stop() }
    _ = try rollout(AnswerText.endpoint(server.url, [("api", "chat")]), [("limit", 1), ("num_generations", 1), ("system", "Be brief.")])
    _ = try rollout(AnswerText.endpoint(server.url), [("limit", 1), ("num_generations", 1), ("format", "chat")])
    let questions = server.requests.map(Self.question)
    #expect(questions[0]["messages"]?[0] == ["role": "system", "content": "Be brief."] && questions[0]["messages"]?[1]?["role"] == "user")
    #expect(questions[1]["prompt"]?.stringValue?.hasPrefix("<|im_start|>user\n") == true)
  }

  // MARK: - Suites

  @Test("a suite of answers is scored over their texts")
  func generation() throws {
    let records = try rows(of: materials.written["records.jsonl"])
    let answers = Dictionary(
      records.map { ($0["prompt"]?.stringValue ?? "", $0["answer"]?.stringValue ?? "") }, uniquingKeysWith: { first, _ in first })
    let wrong = records[1]["prompt"]?.stringValue
    let server = try ScriptedServer { request, _ in
      let prompt = Self.question(request)["prompt"]?.stringValue ?? ""
      return .json(AnswerText.completion(prompt == wrong ? " no" : " \(answers[prompt] ?? "?")"))
    }
    defer { server.stop() }
    let outcome = try bench.run(
      "evaluate", ["endpoint": AnswerText.endpoint(server.url, [("revision", "r1")])], inputs: [("suite", [materials.written])])
    let scores = try json(of: outcome["scores"])
    #expect(scores["metrics"]?["exact_match"]?["value"] == .number(Double(records.count - 1) / Double(records.count)))
    #expect(try json(of: outcome["answers"])["model"] == "endpoint m revision r1")
  }

  /// A server whose tokens are the words of what it is sent, each the less likely the longer it is.
  private static func echo(_ request: ScriptedServer.Request, _ change: (String) -> String = { $0 }) -> ScriptedServer.Answer {
    let prompt = question(request)["prompt"]?.stringValue ?? ""
    var words: [String] = []
    for character in prompt {
      if character == " " || words.isEmpty { words.append("") }
      words[words.count - 1].append(character)
    }
    words.append(" x")
    var offsets = [0]
    for word in words.dropLast() { offsets.append((offsets.last ?? 0) + word.count) }
    let values = words.enumerated().map { $0.offset == 0 ? "null" : String(-Double($0.element.count) / 4) }
    let tokens = JSONValue.array(words.map { .string($0) }).encoded()
    let logs = #","logprobs":{"tokens":\#(tokens),"token_logprobs":[\#(values.joined(separator: ","))],"text_offset":\#(offsets)}"#
    return .json(change(AnswerText.completion(prompt + " x", finish: "length", logs)))
  }

  @Test("choices are scored by the log-probabilities of the tokens behind the prompt that the server echoes")
  func choices() throws {
    let server = try ScriptedServer { request, _ in Self.echo(request) }
    defer { server.stop() }
    let outcome = try bench.run("evaluate", ["endpoint": AnswerText.endpoint(server.url)], inputs: [("suite", [materials.chosen])])
    let row = try #require(try rows(of: outcome["samples"]).first)
    // The suite's delimiter, a space, belongs to the choice.
    let choices = try strings(row["choices"])
    #expect(try numbers(row["log_likelihoods"]) == choices.map { -Double($0.count + 1) / 4 })
    let sent = Self.question(try #require(server.requests.first))
    #expect(sent["echo"] == true && sent["max_tokens"] == 1 && sent["logprobs"] == 1)
  }

  @Test("a server that cannot is told from the suite: its name, its kind, and what is missing")
  func cannot() throws {
    func said(_ suite: Given, _ more: [(String, JSONValue)] = [], _ change: @escaping @Sendable (String) -> String = { $0 }) throws
      -> String?
    {
      let server = try ScriptedServer { request, _ in Self.echo(request, change) }
      defer { server.stop() }
      return failure("evaluate", AnswerText.endpoint(server.url, more + [("concurrency", 1)]), [("suite", [suite])])
    }
    let head = "suite 'maximum' is scored by log-likelihood (multiple_choice), and "
    expect(
      try said(materials.chosen, [("api", "chat")]),
      is: head + "api chat gives no log-probabilities of a prompt; say api: completions")
    expect(
      try said(materials.chosen) {
        $0.replacingOccurrences(of: #""logprobs":.*"#, with: #""logprobs":null}]}"#, options: .regularExpression)
      },
      is: head + "records.jsonl:1: the server gave no log-probabilities; one that echoes a prompt with them is needed, as vllm serve and "
        + "llama.cpp's are")
    expect(
      try said(materials.chosen) { $0.replacingOccurrences(of: #""text":"[^"]*""#, with: #""text":" x""#, options: .regularExpression) },
      is: head + "records.jsonl:1: the server did not echo the prompt, so its log-probabilities are not those of the choice")
    expect(
      try said(materials.measured),
      is: "suite 'sentences' is scored by log-likelihood (perplexity), and a server does not say them of a text from its first token on; "
        + "give the stage the input 'model'")
  }

  // MARK: - What is wrong

  @Test("an answer that is none names the record")
  func broken() throws {
    let server = try ScriptedServer { _, _ in .json(#"{"choices":[]}"#) }
    defer { server.stop() }
    expect(
      failure("evaluate", AnswerText.endpoint(server.url, [("concurrency", 1)]), [("suite", [materials.written])]),
      is: "records.jsonl:1: the server's answer has 0 choices where one was asked for")
  }

  @Test("what contradicts itself is said before anybody is asked")
  func contradictions() throws {
    let (suite, model) = (("suite", [materials.written]), ("model", [materials.model]))
    let url = "http://127.0.0.1:1/v1"
    expect(
      failure("evaluate", AnswerText.endpoint(url), [suite, model]),
      is: "endpoint.url: the server has a model of its own, so the input 'model' would say what is not so; leave it out")
    expect(
      failure("evaluate", AnswerText.endpoint(nil), [suite]),
      is: "endpoint: either 'url', of a server that runs, or 'command', which starts one, is needed")
    expect(
      failure("evaluate", AnswerText.endpoint(url, [("command", ["a"])]), [suite]),
      is: "endpoint: 'url' is of a server that runs and 'command' starts one; only one of them can be meant")
    expect(
      failure("evaluate", AnswerText.endpoint(nil, [("command", ["a", "{port}"])]), [suite]),
      is: "endpoint.command: the server is started on the input 'model', which is missing")
    expect(
      failure("evaluate", AnswerText.endpoint(url, [("model", nil)]), [suite]),
      is: "endpoint.model: what the server at 'url' calls its model is needed; it is in the key")
    expect(
      failure("evaluate", AnswerText.endpoint(url, [("api_key_variable", "HEIRLOOM_TEST_NO_SUCH_KEY")]), [suite]),
      is: "endpoint.api_key_variable: the environment variable HEIRLOOM_TEST_NO_SUCH_KEY is not set")
  }

  @Test("a server that cannot be started, or ends before it answers, is one error")
  func serverThatEnds() throws {
    let inputs = [("suite", [materials.written]), ("model", [materials.model])]
    func said(_ command: JSONValue) -> String? { failure("evaluate", AnswerText.endpoint(nil, [("command", command)]), inputs) }
    expect(
      said(["sh", "-c", "exit 3"]), is: "endpoint.command: the server has to be told where to listen: put {port} into one of its words")
    expect(
      said(["sh", "-c", "exit 3", "{port}"]), is: "endpoint.command: 'sh' ended with status 3 before it answered; its log is the stage's")
    expect(
      said(["/no/such/server", "{port}"]), is: "endpoint.command: '/no/such/server' cannot be started: No such file or directory")
  }
}
