import JSONValues

/// What a server is asked: OpenAI's `completions` or `chat/completions`, with the arguments that vLLM, SGLang and llama.cpp know besides.
package struct CompletionQuestion: Sendable {
  package enum Prompt: Sendable {
    case text(String)
    /// Role and content of each turn.
    case messages([(role: String, content: String)])
  }

  package var prompt: Prompt
  package var maxTokens: Int
  package var minTokens = 0
  package var temperature = 0.0
  package var topP = 1.0
  package var topK = 0
  package var minP = 0.0
  package var stop: [String] = []
  package var seed: UInt64 = 0
  /// The prompt's own log-probabilities are asked for, before `maxTokens` more tokens.
  package var echo = false
  /// Each token's log-probability and id.
  package var wantsTokens = false
  /// Arguments beyond OpenAI's own may be sent.
  package var isPlain = false
  /// Further members, over all others.
  package var extra = JSONObject()

  package init(_ prompt: Prompt, maxTokens: Int) { (self.prompt, self.maxTokens) = (prompt, maxTokens) }

  package var path: String {
    switch prompt {
    case .text: "completions"
    case .messages: "chat/completions"
    }
  }

  package func json(model: String) -> JSONValue {
    var body = JSONObject([("model", .string(model))])
    switch prompt {
    case .text(let text): body.append("prompt", .string(text))
    case .messages(let turns):
      let messages = turns.map { JSONValue.object(JSONObject([("role", .string($0.role)), ("content", .string($0.content))])) }
      body.append("messages", .array(messages))
    }
    body.append("max_tokens", .integer(maxTokens))
    body.append("temperature", .number(temperature))
    body.append("top_p", .number(topP))
    body.append("seed", .integer(Int(seed & 0x7FFF_FFFF)))
    if !stop.isEmpty { body.append("stop", .array(stop.map { .string($0) })) }
    if !isPlain {
      body.append("top_k", .integer(topK))
      body.append("min_p", .number(minP))
      if minTokens > 0 { body.append("min_tokens", .integer(minTokens)) }
    }
    if echo { body.append("echo", true) }
    if wantsTokens || echo { logProbabilities(&body) }
    for (name, value) in extra.members { body.set(name, value) }
    return .object(body)
  }

  private func logProbabilities(_ body: inout JSONObject) {
    switch prompt {
    case .text: body.append("logprobs", .integer(1))
    case .messages: body.append("logprobs", true)
    }
    guard !isPlain, !echo else { return }
    body.append("return_tokens_as_token_ids", true)
    body.append("return_token_ids", true)
  }
}
