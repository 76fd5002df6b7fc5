import Datasets
import JSONValues
import Testing
import Tokenization

@Suite("Records") struct RecordTests {
  @Test(
    "every accepted form of row becomes the same kind of record",
    arguments: [
      (#"{"text":"abc"}"#, #"{"text":"abc"}"#),
      (#"{"prompt":"a","completion":"b","source":7}"#, #"{"prompt":"a","completion":"b","source":7}"#),
      (#"{"prompt":"a","answer":42}"#, #"{"prompt":"a","answer":"42"}"#),
      (#"{"prompt":"a","answer":["x",1.5]}"#, #"{"prompt":"a","answer":["x","1.5"]}"#),
      (
        #"{"completion":[{"role":"assistant","content":"b"}],"prompt":[{"role":"user","content":"a"}]}"#,
        #"{"prompt":[{"role":"user","content":"a"}],"completion":[{"role":"assistant","content":"b"}]}"#
      ),
      (
        #"{"messages":[{"role":"user","content":"a"},{"content":"b","role":"assistant"}],"ground_truth":"b","dataset":"gsm8k"}"#,
        #"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],"answer":"b","dataset":"gsm8k"}"#
      ),
      (
        #"{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}"#,
        #"{"messages":[{"role":"user","content":"ab"}]}"#
      ),
      (
        #"{"system":"s","conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}]}"#,
        #"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}"#
      ),
      (
        #"{"conversations":[{"from":"human","value":"a"}],"ground_truth":"b","messages":null}"#,
        #"{"messages":[{"role":"user","content":"a"}],"answer":"b"}"#
      ),
      (#"{"instruction":"Add.","input":"1 2","output":"3"}"#, #"{"prompt":"Add.\n1 2","completion":"3"}"#),
      (#"{"instruction":"Hi","input":"","output":"Ho"}"#, #"{"prompt":"Hi","completion":"Ho"}"#),
      (#"{"prompt":"q","chosen":"good","rejected":"bad"}"#, #"{"prompt":"q","completion":"good","rejected":"bad"}"#),
      (
        #"{"data_source":"d","prompt":[{"role":"user","content":"q"}],"ability":"math","reward_model":{"style":"rule","ground_truth":"7"}}"#,
        #"{"prompt":[{"role":"user","content":"q"}],"answer":"7","data_source":"d","ability":"math","reward_model":{"style":"rule","ground_truth":"7"}}"#
      ),
      (#"{"prompt":"q","choices":["x","y"],"gold":1}"#, #"{"prompt":"q","choices":["x","y"],"gold":1}"#),
      (
        #"{"prompt":"q","answer":"1","verify":{"rule":"numeric","take":"first","tolerance":0.5}}"#,
        #"{"prompt":"q","answer":"1","verify":{"rule":"numeric","take":"first","tolerance":0.5}}"#
      ),
    ]) func forms(row: String, normal: String) throws
  {
    let record = try Record(row: JSONValue.parse(row))
    #expect(record.json.encoded() == normal)
    #expect(try Record(row: record.json) == record)
  }

  @Test(
    "a malformed row is one clear error",
    arguments: [
      ("[1]", "a record must be an object, found a list"),
      (
        #"{"question":"a"}"#,
        "no known form of record: it has 'question', not 'text', 'messages', 'prompt', 'conversations' or 'instruction' and 'output'; a field mapping can name the columns"
      ),
      (#"{"text":1}"#, "'text' must be a string, found an integer"),
      (#"{"prompt":null,"completion":"b"}"#, "'prompt' is null"),
      (#"{"prompt":"a","completion":[{"role":"assistant","content":"b"}]}"#, "'prompt' is a string but 'completion' is a list of messages"),
      (#"{"messages":[]}"#, "'messages' has no messages"),
      (#"{"messages":[{"role":"user"}]}"#, "'messages[0]' needs 'content'"),
      (
        #"{"messages":[{"role":"user","content":[{"type":"image","url":"x"}]}]}"#,
        "'messages[0].content' has a part of type 'image'; only text is understood"
      ),
      (#"{"prompt":"q","choices":["x","y"],"gold":2}"#, "'gold' is 2, but 'choices' has 2 entries, counted from 0"),
      (#"{"prompt":"q","choices":["x"],"gold":0}"#, "'choices' needs at least 2 entries, it has 1"),
      (#"{"prompt":"q","answer":{}}"#, "'answer' must be a string, a number or a list of them, found an object"),
      (
        #"{"prompt":"q","answer":"1","verify":{"rule":"exakt"}}"#, "unknown rule 'exakt'; known are exact, numeric, regex, contains, choice"
      ),
      (#"{"prompt":"q","answer":"1","verify":{"rule":"exact","ignore_cse":true}}"#, "unknown member 'ignore_cse' of rule 'exact'"),
      (#"{"prompt":"q","answer":"1","verify":{"rule":"regex"}}"#, "a regex rule needs 'pattern'"),
      (
        #"{"prompt":"q","chosen":"a","rejected":"b","completion":"c"}"#,
        "'completion' stands beside 'chosen', and each says what the record is; a field mapping can say which counts"
      ),
      (
        #"{"conversations":[{"from":"gpt","value":"a"}],"messages":[]}"#,
        "'messages' stands beside 'conversations', and each says what the record is; a field mapping can say which counts"
      ),
      (
        #"{"instruction":"i","output":"o","chosen":"a","rejected":"b"}"#,
        "'chosen' stands beside 'instruction', and each says what the record is; a field mapping can say which counts"
      ),
    ]) func malformed(row: String, message: String) throws
  {
    let value = try JSONValue.parse(row)
    #expect(throws: DatasetError(message)) { try Record(row: value) }
  }

  @Test("a field mapping names columns, also inside objects") func mapping() throws {
    let mapping = try FieldMapping(JSONObject([("prompt", "question"), ("completion", "extra.answer")]))
    let record = try Record(row: JSONValue.parse(#"{"question":"a","extra":{"answer":"b"},"id":3}"#), mapping: mapping)
    #expect(record.json.encoded() == #"{"prompt":"a","completion":"b","extra":{"answer":"b"},"id":3}"#)
    #expect(throws: DatasetError("column 'question', mapped to 'prompt', is missing; the row has 'q'")) {
      try Record(row: ["q": "a"], mapping: mapping)
    }
    #expect(
      throws: DatasetError("a mapping cannot set 'promt'; fields are prompt, completion, text, messages, answer, choices, gold, verify")
    ) {
      try FieldMapping(JSONObject([("promt", "q")]))
    }
  }

  @Test("a conversation's last answer is its completion") func conversation() {
    let turns = [ChatMessage(role: "user", content: "a"), ChatMessage(role: "assistant", content: "b")]
    #expect(Record(.conversation(turns)).prompt == .messages([turns[0]]))
    #expect(Record(.conversation(turns)).completion == .text("b"))
    #expect(Record(.conversation([turns[0]])).completion == nil)
  }
}

@Suite("Record files") struct RecordFileTests {
  @Test("blank lines, a byte order mark and carriage returns are passed over; lines keep their numbers") func lines() throws {
    let scratch = try ScratchDirectory()
    let path = try scratch.file("a.jsonl", "\u{FEFF}{\"text\":\"a\"}\r\n\r\n  \n{\"text\":\"b\"}")
    var seen: [String] = []
    try RecordFile(path).read { record, line throws(DatasetError) in seen.append("\(line) \(record.json.encoded())") }
    #expect(seen == [#"1 {"text":"a"}"#, #"4 {"text":"b"}"#])
  }

  @Test("lines longer than the reader's block come through whole", arguments: [1 << 20, (1 << 20) - 12, 3_000_001]) func longLines(
    size: Int
  ) throws {
    let scratch = try ScratchDirectory()
    let long = String(repeating: "x", count: size)
    let path = try scratch.file("a.jsonl", "{\"text\":\"\(long)\"}\n{\"text\":\"b\"}\n{\"text\":\"\(long)\"}\n")
    #expect(try RecordFile(path).records() == [Record(.text(long)), Record(.text("b")), Record(.text(long))])
  }

  @Test(
    "errors name file and line",
    arguments: [
      ("{\"text\":\"a\"}\n{\"text\":\n", "data.jsonl:2: not valid JSON at column 9: the text ends where a value should stand"),
      (
        "\n\n{\"txt\":\"a\"}",
        "data.jsonl:3: no known form of record: it has 'txt', not 'text', 'messages', 'prompt', 'conversations' or 'instruction' and 'output'; a field mapping can name the columns"
      ),
      ("{\"text\":\"a\",\"text\":\"b\"}", "data.jsonl:1: not valid JSON at column 13: duplicate key \"text\""),
    ]) func located(text: String, message: String) throws
  {
    let scratch = try ScratchDirectory()
    let file = RecordFile(try scratch.file("a.jsonl", text), name: "data.jsonl")
    let error = #expect(throws: DatasetError.self) { try file.records() }
    #expect(error?.description == message)
  }

  @Test("bytes that are no UTF-8 are an error at their line") func malformedText() throws {
    let scratch = try ScratchDirectory()
    let path = try scratch.file("a.jsonl", Array("{\"text\":\"a\"}\n{\"text\":\"".utf8) + [0xC3, 0x28] + Array("\"}\n".utf8))
    let error = #expect(throws: DatasetError.self) { try RecordFile(path, name: "a").records() }
    #expect(error?.line == 2 && error?.message.contains("not valid UTF-8") == true)
  }

  @Test("a missing file and a directory are told apart") func missing() throws {
    let scratch = try ScratchDirectory()
    #expect(throws: DatasetError("no such file", file: "x.jsonl")) { try RecordFile(scratch.path + "/x", name: "x.jsonl").records() }
    #expect(throws: DatasetError("is a directory where a file of records should be", file: "d")) {
      try RecordFile(scratch.path, name: "d").records()
    }
  }

  @Test("equal records are written as equal bytes and read back as themselves") func writing() throws {
    let scratch = try ScratchDirectory()
    let records = try TaskSampler(.named("lookup"), difficulty: 3, seed: 1).records(.train, count: 50)
    try RecordFile.write(records, to: scratch.path + "/a")
    try RecordFile.write(try RecordFile(scratch.path + "/a").records(), to: scratch.path + "/b")
    #expect(try scratch.bytes("a") == scratch.bytes("b"))
    #expect(try RecordFile(scratch.path + "/b").records() == records)
  }
}

@Suite("Importing") struct RecordImportTests {
  let records = (0..<200).map { Record(.prompted(.text("q\($0 % 150)"), completion: .text("\($0 / 150)"))) }

  @Test("held-out records do not move with the size of train") func heldoutStays() throws {
    let small = try RecordImport(records, heldout: 30, train: 10, seed: 5, deduplicate: false)
    let large = try RecordImport(records, heldout: 30, seed: 5, deduplicate: false)
    #expect(small.heldout == large.heldout && small.heldout.count == 30 && small.train.count == 10)
    #expect(small.train.allSatisfy(large.train.contains))
    #expect(try RecordImport(records, heldout: 30, seed: 6, deduplicate: false).heldout != large.heldout)
  }

  @Test("a question that is held out is never trained") func disjoint() throws {
    for seed in 0..<20 as Range<UInt64> {
      let split = try RecordImport(records, heldout: 41, seed: seed, deduplicate: false)
      let held = Set(split.heldout.map(\.question))
      #expect(split.train.allSatisfy { !held.contains($0.question) })
      #expect(split.train.count + split.heldout.count + split.shadowed == records.count)
    }
  }

  @Test("duplicates are left out where asked, by every member") func duplicates() throws {
    let doubled = try RecordImport(records + records.prefix(3), heldout: 0, seed: 0, deduplicate: true)
    #expect(doubled.duplicates == 3 && doubled.train == records)
  }

  @Test("too few records are an error") func tooFew() {
    #expect(throws: DatasetError("there are no records")) { try RecordImport([], heldout: 0, seed: 0, deduplicate: false) }
    #expect(throws: DatasetError("200 records are to be held out, but there are only 200, and train needs at least one")) {
      try RecordImport(records, heldout: 200, seed: 0, deduplicate: false)
    }
  }
}
