import Datasets
import JSONValues
import Testing
import Tokenization

/// Bytes as tokens; 256 begins, 257 ends. A pair like "th" is one token (300), so that boundaries can go wrong.
let byteCodec = TextCodec(
  encode: { text in
    var ids: [Int32] = []
    var bytes = Array(text.utf8)[...]
    while let byte = bytes.popFirst() {
      if byte == 0x1E {
        ids.append(257)
      } else if byte == 0x74, bytes.first == 0x68 {
        bytes.removeFirst()
        ids.append(300)
      } else {
        ids.append(Int32(byte))
      }
    }
    return ids
  },
  decode: { ids in String(decoding: ids.flatMap { $0 == 300 ? [0x74, 0x68] : $0 < 256 ? [UInt8($0)] : [] }, as: UTF8.self) },
  render: { messages, prompt throws(DatasetError) in
    messages.map { "\($0.role.first ?? " "):\($0.content)\u{1E}\n" }.joined() + (prompt ? "a:" : "")
  },
  beginning: 256, end: 257)

func ids(_ text: String) -> [Int32] { byteCodec.encode(text) }

@Suite("Encoding records") struct RecordEncoderTests {
  func encoder(
    _ layout: PromptFormat.Layout = .auto, delimiter: String = "", system: String? = nil, all: Bool = false, begins: Bool = false
  ) throws -> RecordEncoder {
    RecordEncoder(
      byteCodec, format: try PromptFormat(layout, system: system, delimiter: delimiter), completionOnlyLoss: !all, addsBeginning: begins)
  }

  @Test("the completion and the end mark are trained, the prompt is not") func completion() throws {
    let encoded = try encoder().encode(Record(.prompted(.text("ab ="), completion: .text(" c"))))
    #expect(encoded.ids == ids("ab = c") + [257])
    #expect(encoded.trained == [false, false, false, false, true, true, true])
    let all = try encoder(all: true, begins: true).encode(Record(.prompted(.text("ab ="), completion: .text(" c"))))
    #expect(all.ids == [256] + ids("ab = c") + [257] && all.trained == [false] + all.ids.dropFirst().map { _ in true })
  }

  @Test("spaces at a prompt's end belong to the completion") func spaces() throws {
    let encoded = try encoder(delimiter: " ").encode(Record(.prompted(.text("ab"), completion: .text("c"))))
    #expect(encoded.ids == ids("ab c") + [257] && encoded.trained == [false, false, true, true, true])
  }

  @Test("an answer stands in where there is no completion") func answer() throws {
    #expect(try encoder().encode(Record(.prompted(.text("a="), completion: nil), answers: ["7", "8"])).ids == ids("a=7") + [257])
  }

  @Test("the answer alone is the target where asked for, of a conversation as well") func answerOnly() throws {
    let reasoned = Record(.prompted(.text("a="), completion: .text(" 3 and 4, so 7")), answers: ["7", "8"])
    let plain = RecordEncoder(byteCodec, format: try PromptFormat(delimiter: " "), target: .answer)
    #expect(try plain.encode(reasoned).ids == ids("a= 7") + [257])
    let turns = [("user", "x"), ("assistant", "long, so y")].map { ChatMessage(role: $0, content: $1) }
    let chat = try plain.encode(Record(.conversation(turns), answers: ["y"]))
    #expect(chat.ids == ids("u:x\u{1E}\na:y\u{1E}"))
    #expect(throws: DatasetError("the record has no answer to train on")) {
      try plain.encode(Record(.prompted(.text("a"), completion: .text("b"))))
    }
  }

  @Test("plain text is trained from its second token on") func text() throws {
    let encoded = try encoder().encode(Record(.text("abc")))
    #expect(encoded.ids == ids("abc") + [257])
    var table = TokenizedRecords()
    table.append(ids: encoded.ids, trained: encoded.trained)
    #expect(table.trained == [0, 1, 1, 1])
  }

  @Test("every turn of the assistant is trained up to its end mark") func conversation() throws {
    let turns = [("user", "x"), ("assistant", "yz"), ("user", "w"), ("assistant", "v")].map { ChatMessage(role: $0, content: $1) }
    let encoded = try encoder(system: "S").encode(Record(.conversation(turns)))
    let whole = ids("s:S\u{1E}\nu:x\u{1E}\na:yz\u{1E}\nu:w\u{1E}\na:v\u{1E}")
    #expect(encoded.ids == whole)
    let trained = zip(encoded.ids, encoded.trained).filter(\.1).map(\.0)
    #expect(trained == ids("yz\u{1E}v\u{1E}"))
  }

  @Test("strings go through the chat template where asked") func chat() throws {
    let encoded = try encoder(.chat).encode(Record(.prompted(.text("q"), completion: .text("r"))))
    #expect(encoded.ids == ids("u:q\u{1E}\na:r\u{1E}") && zip(encoded.ids, encoded.trained).filter(\.1).map(\.0) == ids("r\u{1E}"))
  }

  @Test(
    "what cannot be trained is an error",
    arguments: [
      (
        Record(.prompted(.text("at"), completion: .text("ha"))),
        "the prompt's tokens are no prefix of those of prompt and completion: let the completion begin with a space, or set a delimiter"
      ),
      (Record(.prompted(.text("at"), completion: nil)), "the record has neither a completion nor an answer to train on"),
      (Record(.conversation([ChatMessage(role: "user", content: "a")])), "the conversation has no turn of the assistant to train on"),
    ]) func faults(record: Record, message: String) throws
  {
    let encoder = try encoder()
    #expect(throws: DatasetError(message)) { try encoder.encode(record) }
  }

  @Test("a template that does not close its turns is an error") func openTurn() throws {
    let codec = TextCodec(
      encode: byteCodec.encode, decode: byteCodec.decode, render: { messages, _ throws(DatasetError) in messages.map(\.content).joined() },
      end: 257)
    let encoder = RecordEncoder(codec, format: try PromptFormat(.chat))
    #expect(throws: DatasetError("the end of turn 2 would not be trained: the chat template does not close it with the model's end token"))
    {
      try encoder.encode(Record(.prompted(.text("q"), completion: .text("r"))))
    }
  }

  @Test("a prompt template takes prompt and columns") func template() throws {
    let template = try PromptTemplate("{{Q}} {prompt} ({meta.level})")
    let record = Record(.prompted(.text("p"), completion: nil), extras: JSONObject([("meta", ["level": 3])]))
    #expect(try template.fill(prompt: "p", record: record) == "{Q} p (3)")
    #expect(throws: DatasetError("the prompt template names no column; '{prompt}' is the prompt")) { try PromptTemplate("x") }
    #expect(throws: DatasetError("the prompt template has '{' without '}'; write '{{' for a brace")) { try PromptTemplate("{prompt") }
    #expect(throws: DatasetError("the prompt template asks for 'x', which the record does not have")) {
      try PromptTemplate("{x}{prompt}").fill(prompt: "p", record: record)
    }
  }
}

@Suite("Tables of tokens") struct TokenizedRecordsTests {
  func build(_ overflow: TokenizedRecordsBuilder.Overflow, _ records: [Record], fault: TokenizedRecordsBuilder.Fault = .error) throws -> (
    TokenizedRecords, TokenStatistics
  ) {
    var builder = TokenizedRecordsBuilder(
      RecordEncoder(byteCodec, format: try PromptFormat()), maxLength: 4, overflow: overflow, fault: fault)
    for (index, record) in records.enumerated() { try builder.add(record, line: index + 1) }
    let result = try builder.finish()
    return (result.records, result.statistics)
  }

  let long = Record(.text("abcdefghi"))
  let short = Record(.text("xy"))

  @Test("a record that is too long is refused, cut, split or dropped, and counted") func overflow() throws {
    #expect(throws: DatasetError("the record has 10 tokens, more than max_length 4")) { try build(.error, [short, long]) }
    let cut = try build(.truncate, [short, long])
    #expect(cut.0.offsets == [0, 3, 7] && cut.1.truncated == 1)
    let split = try build(.split, [short, long])
    #expect(split.0.offsets == [0, 3, 7, 11, 13] && split.1.split == 1 && split.0.trained == [0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1])
    let dropped = try build(.drop, [long, short, long])
    #expect(dropped.0.count == 1)
    #expect(dropped.1.dropped.map(\.reason) == ["it has more than 4 tokens"] && dropped.1.dropped.first?.lines == [1, 3])
    #expect(throws: DatasetError("no record is left to train on; the first was dropped because it has more than 4 tokens")) {
      try build(.drop, [long])
    }
    let lost = Record(.prompted(.text("abcd"), completion: .text("e")))
    #expect(try build(.truncate, [short, lost], fault: .drop).1.dropped.first?.reason == "no trained token is left within 4 tokens")
  }

  @Test("statistics are these") func statistics() throws {
    var table = TokenizedRecords()
    for length in [1, 2, 3, 4, 5, 9] {
      table.append(ids: Array(repeating: 1, count: length), trained: Array(repeating: true, count: length))
    }
    #expect(
      TokenStatistics(table).json.encoded() == """
        {"records":6,"tokens":24,"trained_tokens":18,"truncated":0,"split":0,"dropped":0,"dropped_reasons":[],\
        "length":{"min":1,"mean":4,"p50":3,"p90":9,"p95":9,"p99":9,"max":9},\
        "length_histogram":[{"up_to":1,"records":1},{"up_to":2,"records":1},{"up_to":4,"records":2},{"up_to":8,"records":1},{"up_to":16,"records":1}]}
        """)
  }

  @Test("a table comes back from its files as it was") func roundTrip() throws {
    let scratch = try ScratchDirectory()
    let (table, statistics) = try build(.split, [short, long])
    try table.write(to: scratch.path + "/t", statistics: statistics)
    #expect(try TokenizedRecords(directory: scratch.path + "/t") == table)
    let bytes = try scratch.bytes("t/tokens.safetensors")
    #expect(String(decoding: bytes[8..<36], as: UTF8.self) == #"{"__metadata__":{"format":"p"#)
    #expect((8 + Int(bytes[0]) + Int(bytes[1]) << 8) % 8 == 0)
    var mixture = TokenizedRecords()
    mixture.append(table, records: [2, 0])
    #expect(mixture.offsets == [0, 4, 7] && mixture.ids == Array(table.ids[7..<11]) + table.ids[0..<3])
  }

  @Test("a damaged file is a located error", arguments: [0, 7, 40, 150, 300]) func damaged(length: Int) throws {
    let scratch = try ScratchDirectory()
    let (table, _) = try build(.split, [short, long])
    _ = try scratch.file("tokens.safetensors", Array(table.encoded().prefix(length)))
    let error = #expect(throws: DatasetError.self) { try TokenizedRecords(directory: scratch.path) }
    #expect(error?.file == scratch.path + "/tokens.safetensors")
  }

  @Test("no byte that flips crashes the reader") func flips() throws {
    let bytes = try build(.split, [short, long]).0.encoded()
    for index in bytes.indices {
      for bit in [0x01, 0x20, 0x80] as [UInt8] {
        var flipped = bytes
        flipped[index] ^= bit
        _ = try? TokenizedRecords(bytes: flipped)
      }
    }
  }

  @Test("tokens beyond the vocabulary and records beyond the context are refused") func check() throws {
    let (table, _) = try build(.split, [short, long])
    try table.check(vocabularySize: 258, contextLength: 4)
    #expect(throws: DatasetError("token 257 is beyond the model's vocabulary of 257: the tokens were made with another tokenizer")) {
      try table.check(vocabularySize: 257, contextLength: 4)
    }
    #expect(throws: DatasetError("record 2 has 4 tokens, the model's context 3")) { try table.check(vocabularySize: 258, contextLength: 3) }
  }
}

@Suite("Suites") struct SuiteTests {
  @Test("a suite comes back from its directory as it was", arguments: ["reverse", "category", "sentences"]) func roundTrip(name: String)
    throws
  {
    let scratch = try ScratchDirectory()
    let suite = try TaskSampler(.named(name), difficulty: 4, seed: 1).suite(count: 20)
    try suite.write(to: scratch.path + "/s")
    #expect(try Datasets.Suite(directory: scratch.path + "/s") == suite)
  }

  @Test("suite.json is this") func file() throws {
    let suite = try TaskSampler(.named("reverse"), difficulty: 4, seed: 1).suite(count: 1)
    #expect(
      suite.json.encoded() == """
        {"suite":1,"name":"reverse","kind":"generation","metric":"exact_match","higher_is_better":true,"prompt_template":"{prompt}","delimiter":"",\
        "num_fewshot":0,"max_new_tokens":24,"stop":["\\n"]}
        """)
  }

  @Test(
    "what is wrong with a suite is located",
    arguments: [
      (#"{"suite":1,"name":"x","kind":"generation","shots":1}"#, #"{"text":"a"}"#, "suite.json: unknown member 'shots'"),
      (#"{"suite":2,"name":"x","kind":"generation"}"#, #"{"text":"a"}"#, "suite.json: 'suite' must be 1, the version of this form"),
      (#"{"suite":1,"name":"x","kind":"quiz"}"#, "", "suite.json: 'kind' must be generation, multiple_choice or perplexity"),
      (
        #"{"suite":1,"name":"x","kind":"perplexity","metric":"acc"}"#, "",
        "suite.json: 'metric' is 'acc'; perplexity suites have bits_per_byte, byte_perplexity, word_perplexity"
      ),
      (
        #"{"suite":1,"name":"x","kind":"generation"}"#, "\n{\"prompt\":\"a\",\"answer\":\"b\"}",
        "records.jsonl:2: the record has no 'verify' and the suite no 'scorer'"
      ),
      (
        #"{"suite":1,"name":"x","kind":"multiple_choice"}"#, #"{"prompt":"a"}"#,
        "records.jsonl:1: a record of a multiple-choice suite needs 'prompt', 'choices' and 'gold'"
      ),
      (#"{"suite":1,"name":"x","kind":"perplexity"}"#, "", "records.jsonl: the suite has no records"),
    ]) func located(suite: String, records: String, message: String) throws
  {
    let scratch = try ScratchDirectory()
    _ = try scratch.file("suite.json", suite)
    _ = try scratch.file("records.jsonl", records)
    let error = #expect(throws: DatasetError.self) { try Datasets.Suite(directory: scratch.path) }
    #expect(error?.description == scratch.path + "/" + message)
  }
}
