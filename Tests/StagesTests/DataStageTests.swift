import Datasets
import Foundation
import JSONValues
import Testing
import Tokenization

@Suite("data/tasks, data/import, tokenizer/train, tokenize") struct DataStageTests {
  @Test("every usual form of row becomes a record of the one form")
  func forms() throws {
    let bench = try Bench()
    let source = try bench.write(
      """
      {"prompt":"one","completion":" two","note":"kept"}
      {"messages":[{"role":"user","content":"hello"},{"role":"assistant","content":"there"}]}
      {"text":"plain words"}
      {"instruction":"add","input":"1 2","output":"3"}
      {"conversations":[{"from":"human","value":"ping"},{"from":"gpt","value":"pong"}]}

      """, "forms.jsonl")
    let train = try bench.run("data/import", inputs: [("source", [source])])["train"]
    #expect(
      try text(of: train) == """
        {"prompt":"one","completion":" two","note":"kept"}
        {"messages":[{"role":"user","content":"hello"},{"role":"assistant","content":"there"}]}
        {"text":"plain words"}
        {"prompt":"add\\n1 2","completion":"3"}
        {"messages":[{"role":"user","content":"ping"},{"role":"assistant","content":"pong"}]}

        """)
  }

  @Test("columns of other names are mapped, also inside objects")
  func mapping() throws {
    let bench = try Bench()
    let source = try bench.write(#"{"question":"1 + 1","extra":{"answer":2}}"# + "\n", "mapped.jsonl")
    let train = try bench.run(
      "data/import", ["fields": ["prompt": "question", "answer": "extra.answer"]], inputs: [("source", [source])])["train"]
    #expect(try rows(of: train).map { [$0["prompt"], $0["answer"]] } == [["1 + 1", "2"]])
  }

  @Test("held-out bytes do not depend on the size of train, and no held-out question is trained")
  func heldout() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    func split(_ train: JSONValue) throws -> Outcome {
      try bench.run("data/import", ["heldout": 2, "train": train], inputs: [("source", [materials.rows])])
    }
    let (all, few) = (try split(nil), try split(1))
    #expect(try digest(of: all["heldout"].path) == digest(of: few["heldout"].path))
    #expect(try rows(of: few["train"]).count == 1)
    let held = Set(try rows(of: all["heldout"]["records.jsonl"]).compactMap { $0["prompt"]?.stringValue })
    let trained = Set(try rows(of: all["train"]).compactMap { $0["prompt"]?.stringValue })
    #expect(held.count == 2 && trained.count == 4 && held.isDisjoint(with: trained))
  }

  @Test("task data: a larger train part begins with the smaller one and leaves the held-out part as it is")
  func tasks() throws {
    let bench = try Bench()
    func data(_ train: Int) throws -> Outcome {
      try bench.run("data/tasks", ["task": "reverse", "train": .integer(train), "heldout": 8, "difficulty": 4])
    }
    let (small, large) = (try data(5), try data(9))
    #expect(try rows(of: large["train"]).prefix(5) == rows(of: small["train"])[...])
    #expect(try digest(of: large["heldout"].path) == digest(of: small["heldout"].path))
  }

  @Test("a trained tokenizer gives every text back and has the marks of ChatML")
  func tokenizer() throws {
    let materials = try Materials.get()
    let tokenizer = try Tokenizer.load(directory: materials.tokenizer.path)
    #expect(tokenizer.vocabularySize == 280)
    for text in ["reverse a b c", "naïve café 123\n\ttabs", "日本語 🙂", ""] { #expect(tokenizer.decode(tokenizer.encode(text)) == text) }
    #expect(["<|endoftext|>", "<|im_start|>", "<|im_end|>"].map { tokenizer.id($0) } == [0, 1, 2])
    let configuration = try TokenizerConfiguration.load(directory: materials.tokenizer.path)
    #expect(configuration.eosToken == "<|im_end|>" && configuration.bosToken == "<|endoftext|>" && configuration.chatTemplate != nil)
  }

  @Test("a special token stands apart in the conversation that a tokenizer without ChatML's marks cannot write")
  func noChat() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let plain = try bench.run(
      "tokenizer/train", ["vocab_size": 260, "special_tokens": ["<end>"]], inputs: [("data", [materials.records])])["tokenizer"]
    #expect(try TokenizerConfiguration.load(directory: plain.path).chatTemplate == nil)
    let failure = bench.failure("tokenize", ["format": "chat"], inputs: [("data", [materials.topics]), ("tokenizer", [plain])])
    #expect(
      failure == "\(materials.topics.path):1: the record is to go through a chat template, and the tokenizer has none")
  }

  @Test("the completion and the end mark are trained, the prompt is not")
  func masks() throws {
    let materials = try Materials.get()
    let tokens = try Bench().run("tokenize", inputs: [("data", [materials.topics]), ("tokenizer", [materials.tokenizer])])["tokens"]
    #expect(try spans(tokens, trained: true) == [" b a<|im_end|>", " h g f e d c b a<|im_end|>", " y x<|im_end|>"])
    #expect(try spans(tokens, trained: false) == ["reverse a b", "reverse a b c d e f g h", "reverse x y"])
  }

  @Test("of a conversation, what the assistant says is trained up to the mark that ends it")
  func chat() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let data = try bench.write(
      #"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"},{"role":"assistant","content":"d"}]}"#
        + "\n", "chat.jsonl")
    let tokens = try bench.run("tokenize", inputs: [("data", [data]), ("tokenizer", [materials.tokenizer])])["tokens"]
    #expect(try spans(tokens, trained: true) == ["b<|im_end|>d<|im_end|>"])
    #expect(
      try spans(tokens, trained: false) == [
        "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n\n<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n"
      ])
  }

  @Test("statistics count records, tokens, targets, and what was cut or dropped")
  func statistics() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let inputs = [("data", [materials.topics]), ("tokenizer", [materials.tokenizer])]
    let tokens = try bench.run("tokenize", inputs: inputs)["tokens"]
    let table = try TokenizedRecords(directory: tokens.path)
    let statistics = try json(of: tokens["statistics.json"])
    #expect(statistics["records"] == 3 && statistics["dropped"] == 0 && statistics["truncated"] == 0)
    #expect(statistics["tokens"] == .integer(table.tokenCount) && statistics["trained_tokens"] == .integer(table.trainedCount))
    #expect(statistics["length"]?["max"] == .integer((0..<3).map(table.length).max() ?? 0))

    let dropped = try bench.run("tokenize", ["max_length": 16, "overflow": "drop"], inputs: inputs)["tokens"]
    let reasons = try json(of: dropped["statistics.json"])["dropped_reasons"]
    #expect(reasons == [["reason": "it has more than 16 tokens", "records": 1, "first_lines": [2]]])
    let cut = try bench.run("tokenize", ["max_length": 16, "overflow": "truncate", "completion_only_loss": false], inputs: inputs)["tokens"]
    #expect(try json(of: cut["statistics.json"])["truncated"] == 1)
    #expect(try TokenizedRecords(directory: cut.path).length(1) == 16)
  }

  @Test("a suite serves as data, and several inputs are read in order")
  func several() throws {
    let materials = try Materials.get()
    let tokens = try Bench().run(
      "tokenize", inputs: [("data", [materials.topics, materials.written]), ("tokenizer", [materials.tokenizer])])["tokens"]
    let table = try TokenizedRecords(directory: tokens.path)
    #expect(table.count == 23)
    let alone = try Bench().run("tokenize", inputs: [("data", [materials.written]), ("tokenizer", [materials.tokenizer])])["tokens"]
    #expect(Array(table.ids[table.offsets[3]...]) == (try TokenizedRecords(directory: alone.path)).ids)
  }

  /// The text of each record's tokens that are, or are not, trained.
  private func spans(_ tokens: Given, trained: Bool) throws -> [String] {
    let tokenizer = try Tokenizer.load(directory: Materials.get().tokenizer.path)
    let table = try TokenizedRecords(directory: tokens.path)
    return (0..<table.count).map { record in
      tokenizer.decode(table.range(record).filter { (table.trained[$0] == 1) == trained }.map { table.ids[$0] })
    }
  }
}
