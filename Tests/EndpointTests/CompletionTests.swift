import Endpoint
import JSONValues
import Testing

/// What is asked, byte for byte, and what is made of answers.
@Suite("Questions and answers") struct CompletionTests {
  @Test("a question says everything that shapes the answer, so that no server's own defaults do")
  func question() {
    var question = CompletionQuestion(.text("a b ="), maxTokens: 8)
    question.temperature = 0.5
    question.seed = 0xFFFF_FFFF_FFFF_FFFF
    #expect(
      question.json(model: "m").encoded()
        == #"{"model":"m","prompt":"a b =","max_tokens":8,"temperature":0.5,"top_p":1,"seed":2147483647,"top_k":0,"min_p":0}"#)
    question.wantsTokens = true
    question.stop = ["\n"]
    question.minTokens = 2
    let full = question.json(model: "m")
    #expect(full["logprobs"] == 1 && full["return_token_ids"] == true && full["stop"] == ["\n"] && full["min_tokens"] == 2)
    question.isPlain = true
    question.extra = JSONObject([("top_p", 0.25)])
    let plain = question.json(model: "m")
    #expect(plain["top_k"] == nil && plain["return_token_ids"] == nil && plain["top_p"] == 0.25)
  }

  @Test("a conversation goes to chat/completions")
  func chat() {
    var question = CompletionQuestion(.messages([("user", "hi")]), maxTokens: 8)
    question.wantsTokens = true
    #expect(question.path == "chat/completions")
    #expect(question.json(model: "m")["messages"] == [["role": "user", "content": "hi"]] && question.json(model: "m")["logprobs"] == true)
  }

  @Test("text, end, tokens and ids of both protocols")
  func answers() throws {
    let completion = try CompletionAnswer(
      JSONValue.parse(
        #"{"choices":[{"text":" a b","finish_reason":"stop","token_ids":[5,6,2],"prompt_token_ids":[1],"logprobs":{"tokens":[" a"," b",""],"#
          + #""token_logprobs":[null,-0.5,-1.5],"text_offset":[0,2,4]}}]}"#))
    #expect(completion.text == " a b" && completion.finish == .stop && completion.ids == [5, 6, 2] && completion.promptIDs == [1])
    #expect(completion.tokens.map(\.logProbability) == [nil, -0.5, -1.5] && completion.tokens.map(\.offset) == [0, 2, 4])
    let chat = try CompletionAnswer(
      JSONValue.parse(
        #"{"choices":[{"message":{"content":"yes"},"finish_reason":"length","logprobs":{"content":[{"token":"token_id:7","logprob":0.0}]}}]}"#
      ))
    #expect(chat.text == "yes" && chat.finish == .length && chat.tokens.map(\.id) == [7])
    #expect(try CompletionAnswer(JSONValue.parse(#"{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}"#)).text == "")
  }

  static let broken = [
    (#"{}"#, "has no 'choices'"), (#"[]"#, "has no 'choices'"), (#"{"choices":[]}"#, "has 0 choices where one was asked for"),
    (#"{"choices":[1]}"#, "has a choice without text"), (#"{"choices":[{"text":1}]}"#, "has a choice without text"),
    (#"{"choices":[{"text":""}]}"#, "does not say why it ended ('finish_reason')"),
    (#"{"choices":[{"text":"","finish_reason":"content_filter"}]}"#, "ended by 'content_filter', neither stop nor length"),
    (choice(#""logprobs":{"tokens":["a"]}"#), "has 'logprobs' without 'tokens' and as many 'token_logprobs'"),
    (choice(#""logprobs":{"tokens":["a"],"token_logprobs":["x"]}"#), "has a log-probability that is no number"),
    (choice(#""logprobs":{"tokens":["a"],"token_logprobs":[1e999]}"#), "has a log-probability that is no number"),
    (choice(#""logprobs":{"tokens":["a"],"token_logprobs":[2]}"#), "has a log-probability of 2.0, and none is above 0"),
    (choice(#""logprobs":{"tokens":["a"],"token_logprobs":[0],"text_offset":[]}"#), "has another number of 'text_offset' than of tokens"),
    (choice(#""logprobs":{"content":[{}]}"#), "has a token without text or logprob"),
    (choice(#""token_ids":[-1]"#), "has 'token_ids' with something that is no token id"),
    (choice(#""token_ids":7"#), "has 'token_ids' that is no list"),
  ]

  private static func choice(_ more: String) -> String { #"{"choices":[{"text":"a","finish_reason":"stop",\#(more)}]}"# }

  @Test("what is not as it should be is one error", arguments: broken)
  func faults(text: String, wanted: String) {
    do {
      let answer = try CompletionAnswer(try JSONValue.parse(text))
      Issue.record("read as \(answer)")
    } catch let error as JSONError {
      // A number beyond all numbers is none already to the parser.
      #expect(text.contains("1e999"), "\(error)")
    } catch { #expect("\(error)" == "the server's answer \(wanted)") }
  }
}
