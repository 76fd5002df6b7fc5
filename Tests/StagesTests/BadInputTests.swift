import Foundation
import JSONValues
import Testing

/// What a user can hand over wrongly, and the one message that it gives.
@Suite("Bad input") struct BadInputTests {
  @Test("models: cut short, not finite, too many, of other shapes")
  func models() throws {
    let bench = try Bench()
    let good = try bench.checkpoint("tiny-llama")
    let weights = [UInt8](try Data(contentsOf: URL(fileURLWithPath: good["model.safetensors"].path)))

    let truncated = try bench.copy(good, to: "truncated")
    try bench.write(Array(weights.dropLast(1000)), "truncated/model.safetensors")
    expect(
      bench.failure("model/import", inputs: [("source", [truncated])]),
      is: "truncated/model.safetensors: the tensors take 172992 bytes, but only 171992 follow the header: truncated")

    let broken = try bench.copy(good, to: "broken")
    try bench.write(weights.dropLast(4) + [0, 0, 0xC0, 0x7F], "broken/model.safetensors")
    expect(
      bench.failure("model/import", inputs: [("source", [broken])]),
      is: "broken/model.safetensors: tensor 'model.norm.weight' holds nan at row 0, column 47")

    let vocabulary = try bench.copy(good, to: "vocabulary")
    try FileManager.default.removeItem(atPath: vocabulary["tokenizer.json"].path)
    try FileManager.default.copyItem(
      atPath: Materials.get().tokenizer["tokenizer.json"].path, toPath: vocabulary["tokenizer.json"].path)
    expect(
      bench.failure("model/import", inputs: [("source", [vocabulary])]), is: "the tokenizer has 280 tokens, the model's vocabulary only 160"
    )

    let bare = try bench.copy(good, to: "bare")
    try FileManager.default.removeItem(atPath: bare["tokenizer.json"].path)
    expect(bench.failure("model/import", inputs: [("source", [bare])]), is: "bare: holds no tokenizer.json")

    let text = try bench.write("not a model", "model.gguf")
    expect(bench.failure("model/import", inputs: [("source", [text])]), is: "model.gguf: does not begin with 'GGUF': not a GGUF file")
    try bench.write("x", "folder/notes.txt")
    expect(
      bench.failure("model/import", inputs: [("source", [Given(bench.path + "/folder")])]),
      is: "folder/config.json: cannot be opened: No such file or directory")
  }

  @Test("dimensions that do not fit each other")
  func dimensions() throws {
    let materials = try Materials.get()
    func failure(_ changes: [(String, JSONValue)]) throws -> String? {
      var parameters = try #require(Materials.dimensions.objectValue)
      for (name, value) in changes { parameters.set(name, value) }
      return try Bench().failure("model/init", .object(parameters), inputs: [("tokenizer", [materials.tokenizer])])
    }
    try expect(failure([("num_attention_heads", 3)]), is: "hidden_size 16 is not a multiple of num_attention_heads 3; set head_dim")
    try expect(
      failure([("num_attention_heads", 4), ("num_key_value_heads", 3)]),
      is: "num_attention_heads 4 is not a multiple of num_key_value_heads 3")
    try expect(failure([("head_dim", 5)]), is: "the head dimension must be even for rotary embeddings, and is 5")
  }

  @Test("records: not JSON, of no known form, without the mapped column")
  func records() throws {
    let bench = try Bench()
    func failure(_ text: String, _ parameters: JSONValue = [:]) throws -> String? {
      bench.failure("data/import", parameters, inputs: [("source", [try bench.write(text, "data.jsonl")])])
    }
    let good = #"{"prompt":"a","completion":"b"}"# + "\n"
    try expect(failure(good + "\n" + #"{"prompt":"a""#), is: "data.jsonl:3: not valid JSON at column 14: expected ',' or '}' in an object")
    try expect(
      failure(good + #"{"question":"a"}"#),
      is:
        "data.jsonl:2: no known form of record: it has 'question', not 'text', 'messages', 'prompt', 'conversations' or 'instruction' and 'output'; a field mapping can name the columns"
    )
    try expect(failure(good + "[1]"), is: "data.jsonl:2: a record must be an object, found a list")
    try expect(
      failure(good + #"{"prompt":1,"completion":"b"}"#),
      is: "data.jsonl:2: 'prompt' must be a string or a list of messages, found an integer")
    try expect(
      failure(good, ["fields": ["prompt": "question"]]),
      is: "data.jsonl:1: column 'question', mapped to 'prompt', is missing; the row has 'prompt', 'completion'")
    try expect(
      failure(good, ["fields": ["promt": "prompt"]]),
      is: "parameter fields: a mapping cannot set 'promt'; fields are prompt, completion, text, messages, answer, choices, gold, verify")
    try expect(failure(""), is: "there are no records")
    try expect(failure(good, ["heldout": 1]), is: "1 records are to be held out, but there are only 1, and train needs at least one")
    try expect(
      failure(good + #"{"prompt":"c","completion":"d"}"#, ["heldout": 1, "kind": "multiple_choice"]),
      is: "parameter kind: a record of a multiple-choice suite needs 'prompt', 'choices' and 'gold'")
    try expect(
      failure(good + #"{"prompt":"c","completion":"d"}"#, ["heldout": 1, "scorer": ["rule": "exactly"]]),
      is: "parameter scorer: unknown rule 'exactly'; known are exact, numeric, regex, contains, choice")
  }

  @Test("tasks that cannot be drawn")
  func tasks() throws {
    let bench = try Bench()
    expect(
      bench.failure("data/tasks", ["task": "reverse", "difficulty": 99]),
      is: "family 'reverse' has difficulties 2 to 16 (letters in the string), not 99")
    expect(
      bench.failure("data/tasks", ["task": "lookup", "alphabet": 4]), is: "family 'lookup' needs an alphabet of 12 to 26 letters, not 4")
    expect(
      bench.failure("data/tasks", ["task": "copy", "alphabet": 2, "difficulty": 2, "train": 100]),
      is:
        "family 'copy' at difficulty 2 gave only 2 distinct problems for train where 100 are asked for: raise the difficulty or ask for fewer"
    )
  }

  @Test("records that do not become tokens")
  func tokens() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    func failure(_ text: String, _ parameters: JSONValue = [:]) throws -> String? {
      bench.failure(
        "tokenize", parameters, inputs: [("data", [try bench.write(text, "data.jsonl")]), ("tokenizer", [materials.tokenizer])])
    }
    let good = #"{"prompt":"a","completion":" b"}"# + "\n"
    try expect(
      failure(good + #"{"prompt":"a b c d","completion":" b"}"#, ["max_length": 4]),
      is: "data.jsonl:2: the record has 8 tokens, more than max_length 4")
    try expect(failure(good + #"{"prompt":"a"}"#), is: "data.jsonl:2: the record has neither a completion nor an answer to train on")
    try expect(failure(good, ["template": "Question"]), is: "the prompt template names no column; '{prompt}' is the prompt")
    try expect(
      failure(good, ["template": "{topic}"]), is: "data.jsonl:1: the prompt template asks for 'topic', which the record does not have")
    try expect(
      failure(good + #"{"messages":[{"role":"user","content":"a"}]}"#),
      is: "data.jsonl:2: the conversation has no turn of the assistant to train on")
  }

  @Test("training: tokens of another tokenizer, records beyond the context")
  func training() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let larger = try bench.run("tokenizer/train", ["vocab_size": 300], inputs: [("data", [materials.records])])["tokenizer"]
    let foreign = try bench.run("tokenize", inputs: [("data", [materials.records]), ("tokenizer", [larger])])["tokens"]
    expect(
      bench.failure("train/sft", inputs: [("model", [materials.model]), ("data", [foreign])]),
      is: "token 282 is beyond the model's vocabulary of 280: the tokens were made with another tokenizer")

    let long = try bench.write(
      #"{"prompt":"q","completion":" \#(String(repeating: "z9", count: 40))"}"# + "\n", "long.jsonl")
    let tokens = try bench.run("tokenize", inputs: [("data", [long]), ("tokenizer", [materials.tokenizer])])["tokens"]
    expect(
      bench.failure("train/sft", inputs: [("model", [materials.model]), ("data", [tokens])]),
      is: "record 1 has 82 tokens, the model's context 64")

    try bench.write("x", "empty/notes.txt")
    expect(
      bench.failure("train/sft", inputs: [("model", [materials.model]), ("data", [Given(bench.path + "/empty")])]),
      is: "empty/tokens.safetensors: no such file: this is not a tokens directory")
  }

  @Test("suites: without records, of the wrong kind, longer than the context")
  func suites() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    func failure(_ spoil: (Given) throws -> Void, _ parameters: JSONValue = [:]) throws -> String? {
      let suite = try bench.copy(materials.written, to: "suite")
      defer { try? FileManager.default.removeItem(atPath: suite.path) }
      try spoil(suite)
      return bench.failure("evaluate", parameters, inputs: [("model", [materials.model]), ("suite", [suite])])
    }
    try expect(failure { _ in try bench.write("", "suite/records.jsonl") }, is: "suite/records.jsonl: the suite has no records")
    try expect(
      failure { _ in try bench.write(#"{"prompt":"a"}"#, "suite/records.jsonl") },
      is: "suite/records.jsonl:1: a record of a generation suite needs 'answer' or a completion")
    try expect(
      failure { try FileManager.default.removeItem(atPath: $0["suite.json"].path) },
      is: "suite/suite.json: no such file: this is not a suite directory")
    try expect(
      failure { _ in try bench.write(#"{"suite":1,"name":"x","kind":"essay"}"#, "suite/suite.json") },
      is: "suite/suite.json: 'kind' must be generation, multiple_choice or perplexity")
    try expect(
      failure({ _ in }, ["max_new_tokens": 64]),
      is: "records.jsonl:1: the prompt has 8 tokens; with 64 new ones that is more than the model's context of 64")
  }

  @Test("averages: models of other shapes, α out of range")
  func averages() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    var wide = try #require(Materials.dimensions.objectValue)
    wide.set("hidden_size", 32)
    let other = try bench.run("model/init", .object(wide), inputs: [("tokenizer", [materials.tokenizer])])["model"]
    let model = try bench.copy(other, to: "wide")
    expect(
      bench.failure("average/wise-ft", ["alpha": 0.5], inputs: [("base", [materials.model]), ("tuned", [model])]),
      is: "wide: has hidden_size 32, the base 16")
    expect(
      bench.failure("average/wise-ft", ["alpha": 1.5], inputs: [("base", [materials.model]), ("tuned", [materials.tuned])]),
      is: "alpha must lie between 0 and 1, not 1.5")
  }

  @Test("a damaged tokenizer")
  func tokenizer() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let spoilt = try bench.copy(materials.tokenizer, to: "tokenizer")
    try bench.write("{", "tokenizer/tokenizer.json")
    expect(
      bench.failure("tokenize", inputs: [("data", [materials.topics]), ("tokenizer", [spoilt])]),
      is: "tokenizer/tokenizer.json: no JSON: line 1, column 2: expected a key in double quotes")
  }
}
