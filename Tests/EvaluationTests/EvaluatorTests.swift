import Datasets
import Evaluation
import JSONValues
import Testing
import Tokenization

@Suite("Evaluating suites") struct EvaluatorTests {
  func record(_ prompt: String, _ answer: String) -> Record {
    Record(.prompted(.text(prompt), completion: nil), answers: [answer], verify: .exact(.init()))
  }

  @Test("completions are cut at stop texts, judged and kept") func generation() throws {
    let suite = Suite(
      name: "s", scoring: .generation(nil, maxNewTokens: 8, stop: ["\n"]),
      records: [record("a=", "1"), record("b=", "2"), record("c=", "1"), record("d=", "1")])
    let model = FakeModel(completions: ["a=": " 1\nmore", "b=": "1", "c=": "12345678999"])
    let result = try Evaluator(model, byteCodec).evaluate(suite)
    #expect(
      result.json.encoded() == """
        {"suite":"s","kind":"generation","metric":"exact_match","higher_is_better":true,"n":4,\
        "metrics":{"exact_match":{"value":0.25,"stderr":0.25}},"best_constant":{"answer":"1","score":0.75},"complete":1,\
        "records":"\(suite.fingerprint)","per_record":{"exact_match":[1,0,0,0]}}
        """)
    #expect(
      result.results.map { $0.json.encoded() } == [
        #"{"doc_id":0,"prompt":"a=","completion":" 1","complete":true,"extracted":" 1","target":"1","exact_match":1}"#,
        #"{"doc_id":1,"prompt":"b=","completion":"1","complete":true,"extracted":"1","target":"2","exact_match":0}"#,
        #"{"doc_id":2,"prompt":"c=","completion":"12345678","complete":true,"extracted":"12345678","target":"1","exact_match":0}"#,
        #"{"doc_id":3,"prompt":"d=","completion":"","complete":true,"extracted":"","target":"1","exact_match":0}"#,
      ])
  }

  @Test("the suite's scorer goes before the records' rules") func scorer() throws {
    var suite = Suite(name: "s", scoring: .generation(.numeric(.init()), maxNewTokens: 20, stop: []), records: [record("a=", "1")])
    let model = FakeModel(completions: ["a=": "it is 1"])
    #expect(try Evaluator(model, byteCodec).evaluate(suite).headline.estimate.value == 1)
    suite.scoring = .generation(nil, maxNewTokens: 20, stop: [])
    #expect(try Evaluator(model, byteCodec).evaluate(suite).headline.estimate.value == 0)
  }

  @Test("prompts go through the template and the chat template") func prompts() throws {
    let suite = Suite(
      name: "s", scoring: .generation(nil, maxNewTokens: 9, stop: []), promptTemplate: "Q: {prompt}", records: [record("x", "y")])
    var evaluator = Evaluator(FakeModel(completions: ["<system>S<user>Q: x<assistant>\n": "y"]), byteCodec)
    evaluator.layout = .chat
    evaluator.system = "S"
    #expect(try evaluator.evaluate(suite).headline.estimate.value == 1)
  }

  @Test("the spaces at a context's end go to the continuation, both are encoded together") func choiceTokens() throws {
    final class Spy: LanguageModel, @unchecked Sendable {  // used by one test, from one thread
      let contextLength = 99, vocabularySize = 258
      var seen: [LikelihoodRequest] = []
      func generate(_ prompts: [[Int32]], _ options: GenerationOptions, progress: (Int) throws -> Void) throws -> [GeneratedTokens] { [] }
      func logProbabilities(_ requests: [LikelihoodRequest], progress: (Int) throws -> Void) throws -> [[Double]] {
        seen += requests
        return requests.map { $0.continuation.map { _ in -1 } }
      }
    }
    func asked(_ prompt: String, delimiter: String, layout: PromptFormat.Layout = .auto, begins: Bool = false) throws -> [LikelihoodRequest]
    {
      let spy = Spy()
      var evaluator = Evaluator(spy, byteCodec)
      evaluator.layout = layout
      evaluator.addsBeginning = begins
      let record = Record(.prompted(.text(prompt), completion: nil), choices: ["x", "yz"], gold: 0)
      _ = try evaluator.evaluate(Suite(name: "s", scoring: .multipleChoice, delimiter: delimiter, records: [record]))
      return spy.seen
    }
    let bytes: (String) -> [Int32] = { $0.utf8.map { Int32($0) } }
    #expect(
      try asked("q", delimiter: " ") == [
        .init(context: bytes("q"), continuation: bytes(" x")), .init(context: bytes("q"), continuation: bytes(" yz")),
      ])
    #expect(try asked("q:\n", delimiter: "", begins: true)[0] == .init(context: [256] + bytes("q:"), continuation: bytes("\nx")))
    #expect(try asked("q", delimiter: " ", layout: .chat)[0] == .init(context: bytes("<user>q<assistant>"), continuation: bytes("\nx")))
    #expect(try asked("", delimiter: " ")[0] == .init(context: [256], continuation: bytes(" x")))
  }

  @Test("acc takes the sum, acc_norm per character, acc_bytes per byte, ties go to the first") func choices() throws {
    // The fake model: log p depends on token mod 7 and place mod 3.
    let suite = Suite(
      name: "m", scoring: .multipleChoice,
      records: [
        Record(.prompted(.text("pq"), completion: nil), choices: ["p", "pppp"], gold: 0),
        Record(.prompted(.text("pq"), completion: nil), choices: ["p", "p"], gold: 1),
        Record(.prompted(.text("pq"), completion: nil), choices: ["w", "éé"], gold: 1),
      ])
    let result = try Evaluator(FakeModel(), byteCodec).evaluate(suite)
    let sums = result.results.compactMap { if case .chosen(let logs) = $0.outcome { logs } else { nil } }
    // "p" = 112 ≡ 0: −(1+0+2)/8 at place 2, then places 3, 4, 5: −1/8, −2/8, −3/8.
    #expect(sums[0] == [-3.0 / 8, -9.0 / 8] && sums[1] == [-3.0 / 8, -3.0 / 8])
    #expect(result.results[0].scores.map(\.value) == [1, 0, 0])
    #expect(result.results[1].scores.map(\.value) == [0, 0, 0])
    #expect(result.json["best_constant"] == ["answer": "choice 1", "score": .number(2.0 / 3)])
    #expect(result.metrics.map(\.name) == ["acc", "acc_norm", "acc_bytes"])
  }

  @Test("perplexity sums over the suite, windows included") func perplexity() throws {
    let long = String(repeating: "ab ", count: 50)
    let suite = Suite(name: "p", scoring: .perplexity, records: [Record(.text("pp")), Record(.text(long))])
    let result = try Evaluator(FakeModel(contextLength: 16), byteCodec).evaluate(suite)
    guard case .measured(let logLikelihood, 2, 2, 1) = result.results[0].outcome,
      case .measured(_, 150, 150, 51) = result.results[1].outcome
    else {
      Issue.record("\(result.results.map(\.outcome))")
      return
    }
    #expect(logLikelihood == -2.0 / 8 - 3.0 / 8)
    let sum = result.results.reduce(0.0) { if case .measured(let value, _, _, _) = $1.outcome { $0 - value } else { $0 } }
    let bits = try #require(result.metrics.first { $0.name == "bits_per_byte" })
    #expect(abs(bits.estimate.value - sum / 152 / 0.6931471805599453) < 1e-12 && bits.estimate.standardError != nil)
    #expect(
      result.metrics.map(\.name) == ["bits_per_byte", "byte_perplexity", "word_perplexity"] && result.json["higher_is_better"] == false)
    #expect(result.json["best_constant"] == .null)
  }

  @Test("every token of a long text is predicted once, from as much as fits", arguments: [1, 2, 15, 16, 17, 31, 32, 33, 100]) func windows(
    count: Int
  ) {
    let tokens = (0..<count).map { Int32($0) }
    let windows = RollingWindows.requests(tokens, prefix: -1, contextLength: 16)
    #expect(windows.flatMap(\.continuation) == tokens)
    for window in windows {
      #expect(!window.context.isEmpty && window.context.count + window.continuation.count <= 17)
      let before = window.continuation[0] - Int32(window.context.count)
      #expect(window.context.elementsEqual((0..<Int32(window.context.count)).map { before + $0 }))
    }
    #expect(windows.dropFirst().allSatisfy { $0.context.count + $0.continuation.count == 17 })
  }

  @Test("records that cannot be asked are errors at their line") func faults() throws {
    let record = Record(.prompted(.text(String(repeating: "x", count: 60)), completion: nil), answers: ["1"], verify: .exact(.init()))
    let suite = Suite(name: "s", scoring: .generation(nil, maxNewTokens: 8, stop: []), records: [self.record("a", "b"), record])
    let tooLong = "the prompt has 60 tokens; with 8 new ones that is more than the model's context of 64"
    #expect(throws: DatasetError(tooLong, file: "records.jsonl", line: 2)) {
      try Evaluator(FakeModel(), byteCodec).evaluate(suite)
    }
    let empty = Suite(
      name: "s", scoring: .multipleChoice, records: [Record(.prompted(.text("a"), completion: nil), choices: ["", "b"], gold: 0)])
    #expect(throws: DatasetError("the choice '' adds no token to the prompt", file: "records.jsonl", line: 1)) {
      try Evaluator(FakeModel(), byteCodec).evaluate(empty)
    }
  }

  @Test("the order in which a model answers moves nothing") func order() throws {
    for name in ["category", "sentences"] {
      let suite = try TaskSampler(.named(name), difficulty: 3, seed: 1).suite(count: 40)
      let one = try Evaluator(FakeModel(contextLength: 200), byteCodec).evaluate(suite)
      let other = try Evaluator(FakeModel(contextLength: 200, reversed: true), byteCodec).evaluate(suite)
      #expect(one == other)
    }
  }

  @Test("a record's result does not depend on its suite's other records") func alone() throws {
    let suite = try TaskSampler(.named("category"), difficulty: 4, seed: 1).suite(count: 12)
    let whole = try Evaluator(FakeModel(contextLength: 200), byteCodec).evaluate(suite)
    for index in 0..<12 {
      var single = suite
      single.records = [suite.records[index]]
      let result = try Evaluator(FakeModel(contextLength: 200), byteCodec).evaluate(single).results[0]
      #expect(result.outcome == whole.results[index].outcome)
    }
  }

  @Test("throwing from the progress call stops an evaluation") func stopping() throws {
    struct Stop: Error {}
    var evaluator = Evaluator(FakeModel(contextLength: 200), byteCodec)
    evaluator.progress = { _, _ in throw Stop() }
    let suite = try TaskSampler(.named("copy"), difficulty: 3, seed: 1).suite(count: 4)
    #expect(throws: Stop.self) { try evaluator.evaluate(suite) }
  }
}
