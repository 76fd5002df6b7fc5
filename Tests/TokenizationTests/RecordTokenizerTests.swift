import Testing
import Tokenization

@Suite("Records as tokens")
struct RecordTokenizerTests {
  private let tokenizer: Tokenizer
  private let records: RecordTokenizer

  init() throws {
    tokenizer = try Fixtures.tokenizer("gpt2")
    records = RecordTokenizer(tokenizer: tokenizer, template: try ChatTemplate(source: ChatTemplate.chatML), endID: 0)
  }

  private func trainedText(_ record: TokenizedRecord) -> [String] {
    var runs: [[Int32]] = []
    for (index, id) in record.ids.enumerated() where record.trained[index] {
      if index > 0, record.trained[index - 1] { runs[runs.count - 1].append(id) } else { runs.append([id]) }
    }
    return runs.map { tokenizer.decode($0) }
  }

  @Test("a plain completion is trained with the end of the text, its prompt is not")
  func plain() throws {
    let record = try records.promptAndCompletion("the question", " the answer")
    #expect(tokenizer.decode(record.ids) == "the question the answer<|endoftext|>")
    #expect(trainedText(record) == [" the answer<|endoftext|>"])
    #expect(try records.promptAndCompletion("q", " a<|endoftext|>").ids.filter { $0 == 0 }.count == 1)
  }

  @Test("a text is trained as a whole")
  func text() throws {
    #expect(trainedText(try records.text("some text")) == ["some text<|endoftext|>"])
  }

  @Test("a chat completion is trained from the answer's first letter on, the end of its turn included")
  func chat() throws {
    let record = try records.promptAndCompletion(
      [ChatMessage(role: "user", content: "how many?")], [ChatMessage(role: "assistant", content: "three")])
    #expect(tokenizer.decode(record.ids) == "<|im_start|>user\nhow many?<|im_end|>\n<|im_start|>assistant\nthree<|im_end|>\n")
    #expect(trainedText(record) == ["three<|im_end|>\n"])
    #expect(
      try records.prompt([ChatMessage(role: "user", content: "how many?")])
        == Array(record.ids[..<(record.ids.count - record.trainedCount)]))
  }

  @Test("of a conversation the assistant's turns are trained, or all of it")
  func conversation() throws {
    let messages = [
      ChatMessage(role: "user", content: "one"), ChatMessage(role: "assistant", content: "two"),
      ChatMessage(role: "user", content: "three"),
      ChatMessage(role: "assistant", content: "four"),
    ]
    #expect(trainedText(try records.conversation(messages, training: .assistant)) == ["two<|im_end|>\n", "four<|im_end|>\n"])
    #expect(trainedText(try records.conversation(messages, training: .all)).count == 1)
    #expect(throws: RecordFault.nothingTrained) { _ = try records.conversation([messages[0]], training: .assistant) }
  }

  @Test("a prompt whose last space belongs to the completion's first word is reported")
  func noPrefix() throws {
    let error = #expect(throws: RecordFault.self) { _ = try records.promptAndCompletion("count the ", "words") }
    #expect(
      error?.description == "the prompt's tokens are no prefix of those of prompt and completion: they part at token 3, near 'count the '")
  }

  @Test("an empty completion with no end trains nothing")
  func nothing() {
    let open = RecordTokenizer(tokenizer: tokenizer, template: nil, endID: nil)
    #expect(throws: RecordFault.nothingTrained) { _ = try open.promptAndCompletion("x", "") }
    #expect(throws: RecordFault.template(TokenizerError(message: "the tokenizer has no chat template, which messages need"))) {
      _ = try open.prompt([ChatMessage(role: "user", content: "x")])
    }
  }
}
