import Datasets
import Evaluation
import JSONValues
import Testing

@Suite("Judging answers") struct AnswerJudgeTests {
  func judge(_ rule: String, _ completion: String, answers: [String], choices: [String] = [], gold: Int? = nil) throws
    -> AnswerJudge.Judgement
  {
    let record = Record(.prompted(.text("q"), completion: nil), answers: answers, choices: choices, gold: gold)
    return try AnswerJudge(VerifyRule(json: JSONValue.parse(rule))).judge(completion, record)
  }

  @Test(
    "exact match takes away what it is told to, from both sides",
    arguments: [
      (#"{"rule":"exact"}"#, " 42\n", "42", true),
      (#"{"rule":"exact","strip":false}"#, " 42", "42", false),
      (#"{"rule":"exact"}"#, "Yes", "yes", false),
      (#"{"rule":"exact","ignore_case":true}"#, "YES", "yes", true),
      (#"{"rule":"exact","ignore_punctuation":true}"#, "(a, b)!", "a b", true),
      (#"{"rule":"exact","ignore_punctuation":true}"#, "a–b", "ab", false),
      (#"{"rule":"exact","ignore_numbers":true}"#, "a1", "a2", true),
      (#"{"rule":"exact","regexes_to_ignore":["[,$]","\\.$"]}"#, "$1,000.", "1000", true),
      (#"{"rule":"exact"}"#, "e\u{301}", "é", false),
      (#"{"rule":"contains","ignore_case":true}"#, "It is Paris.", "paris", true),
      (#"{"rule":"contains"}"#, "It is Rome.", "Paris", false),
    ]) func text(rule: String, completion: String, answer: String, right: Bool) throws
  {
    #expect(try judge(rule, completion, answers: [answer]).isRight == right)
  }

  @Test("any of several targets counts") func several() throws {
    #expect(try judge(#"{"rule":"exact"}"#, "b", answers: ["a", "b"]).isRight)
  }

  @Test(
    "numbers are found in text",
    arguments: [
      ("last", "7 times 8 is 56.", "56", true), ("first", "56 = 7 × 8", "56", true), ("last", "It costs $1,234.50!", "1234.5", true),
      ("last", "minus: -3", "-3", true), ("last", "8-3=5", "5", true), ("last", "10-3", "3", true), ("last", "3, 4", "4", true),
      ("last", "1,2345", "2345", true),
      ("last", "none", "0", false), ("whole", " 12 ", "12", true), ("whole", "12 apples", "12", false), ("whole", "1e3", "1000", true),
      ("last", "0.30", "0.3", true), ("last", "−4", "-4", true),
    ]) func numeric(take: String, completion: String, answer: String, right: Bool) throws
  {
    #expect(try judge("{\"rule\":\"numeric\",\"take\":\"\(take)\"}", completion, answers: [answer]).isRight == right)
  }

  @Test("a tolerance is absolute, relative or both") func tolerance() throws {
    #expect(try judge(#"{"rule":"numeric","tolerance":0.5}"#, "10.5", answers: ["10"]).isRight)
    #expect(try !judge(#"{"rule":"numeric","tolerance":0.5}"#, "10.51", answers: ["10"]).isRight)
    #expect(try judge(#"{"rule":"numeric","relative_tolerance":0.1}"#, "-109", answers: ["-100"]).isRight)
  }

  @Test("a regular expression's group is the answer") func regex() throws {
    let rule = #"{"rule":"regex","pattern":"\\\\boxed\\{([^}]*)\\}","take":"last"}"#
    let judgement = try judge(rule, #"\boxed{1} so \boxed{ 2 }"#, answers: ["2"])
    #expect(judgement.isRight && judgement.extracted == " 2 ")
    #expect(try judge(rule, "2", answers: ["2"]).extracted == nil)
    #expect(throws: DatasetError("'(' is not a valid regular expression")) {
      try judge(#"{"rule":"regex","pattern":"("}"#, "", answers: ["a"])
    }
    #expect(throws: DatasetError("'a' has 0 groups, the rule wants group 1")) {
      try judge(#"{"rule":"regex","pattern":"a"}"#, "", answers: ["a"])
    }
  }

  @Test("a regular expression finds what stands far behind in a long text", arguments: [10, 299, 300, 5_000, 60_000]) func far(
    count: Int
  ) throws {
    let text = String(repeating: "so, ", count: count / 4)
    #expect(try judge(#"{"rule":"regex","pattern":"is (\\d+)"}"#, text + "it is 42", answers: ["42"]).isRight)
    #expect(try judge(#"{"rule":"exact","regexes_to_ignore":["[^\\d]"]}"#, text + "42", answers: ["42"]).isRight)
  }

  @Test(
    "a regular expression that takes too many steps matches nothing, before long", .timeLimit(.minutes(1)),
    arguments: [
      "(.*)*(.*)*(.*)*!", "(a|aa)+!", "(?i)(a*)a*\\\\1\\\\1!", "(?i)(?:" + String(repeating: "a", count: 20_000) + "!|a)*!",
    ], [200, 1_000, 60_000, 1_000_000]) func endless(pattern: String, count: Int) throws
  {
    let rule = "{\"rule\":\"regex\",\"pattern\":\"\(pattern)\",\"group\":0}"
    let start = ContinuousClock.now
    #expect(try judge(rule, String(repeating: "a", count: count) + "?", answers: ["x"]).extracted == nil)
    #expect(ContinuousClock.now - start < .seconds(10))
  }

  @Test("a regular expression may not be endless itself") func longPattern() throws {
    #expect(throws: DatasetError("a regular expression has more than 65536 characters")) {
      try judge("{\"rule\":\"regex\",\"pattern\":\"(\(String(repeating: "a", count: 65_536)))\"}", "", answers: ["a"])
    }
  }

  @Test(
    "a choice is named by its text, its letter, or by occurring first",
    arguments: [
      ("red", 0), ("Blue.", 1), ("B", 1), ("(C) because", 2), ("The answer is B: blue", 1), ("I think green, not red", 2), ("purple", nil),
    ] as [(String, Int?)]) func choice(completion: String, named: Int?) throws
  {
    let choices = ["red", "blue", "green"]
    let extracted = try judge(#"{"rule":"choice"}"#, completion, answers: [], choices: choices, gold: 1).extracted
    #expect(extracted == named.map { ["A", "B", "C"][$0] })
    #expect(try judge(#"{"rule":"choice"}"#, completion, answers: [], choices: choices, gold: 1).isRight == (named == 1))
  }
}

@Suite("Estimates") struct EstimateTests {
  @Test("the error of a mean is the sample deviation over the root of n") func mean() {
    #expect(Estimate.mean([1, 0, 0, 1]) == Estimate(value: 0.5, standardError: (1.0 / 12).squareRoot()))
    #expect(Estimate.mean([3]) == Estimate(value: 3, standardError: nil))
  }

  @Test("a ratio of sums has the error of its residuals") func ratio() {
    let ratio = Estimate.ratio([2, 4], [1, 1])
    #expect(ratio.value == 3 && ratio.standardError == 1)
    #expect(Estimate.ratio([2, 4], [1, 2]).standardError == 0)
  }

  @Test(
    "the portable exponential is within 2 ulp",
    arguments: [
      (0.0, 1.0), (1, 2.718281828459045), (-1, 0.36787944117144233), (0.5, 1.6487212707001282), (10, 22026.465794806718),
      (-20, 2.061153622438558e-9),
      (100, 2.6881171418161356e43), (700, 1.0142320547350045e304),
    ]) func exponential(x: Double, value: Double)
  {
    #expect((PortableMath.exp(x) - value).magnitude <= 2 * value.ulp)
  }
}

@Suite("Paired comparisons") struct PairedComparisonTests {
  @Test(
    "McNemar's exact test gives these", arguments: [(0, 0, 1.0), (1, 5, 0.21875), (0, 8, 0.0078125), (3, 3, 1), (10, 2, 0.03857421875)])
  func mcNemar(b: Int, c: Int, p: Double) {
    #expect(McNemar.pValue(b, c) == p && McNemar.pValue(c, b) == p)
  }

  @Test("McNemar's test holds for thousands of changes") func manyChanges() {
    #expect(abs(McNemar.pValue(2450, 2550) - 0.1615) < 0.001)
    #expect(McNemar.pValue(0, 1074) > 0)
  }

  @Test("what fell and what rose is named, and a drop outside its interval is told from noise") func compare() {
    let before = (0..<100).map { $0 < 80 ? 1.0 : 0 }
    let after = (0..<100).map { $0 < 50 || $0 >= 98 ? 1.0 : 0 }
    let change = PairedComparison(before: before, after: after)
    #expect(abs(change.difference + 0.28) < 1e-12 && change.fell == Array(50..<80) && change.rose == [98, 99])
    #expect(change.isOutsideNoise && change.interval.upperBound < -0.15 && change.interval.lowerBound > -0.42)
    #expect(change == PairedComparison(before: before, after: after))
    let noise = PairedComparison(before: [1, 0, 1, 0, 1, 0], after: [0, 1, 1, 0, 1, 0])
    #expect(!noise.isOutsideNoise && noise.pValue == 1)
  }

  @Test("the interval's width is near the normal one") func width() {
    var random = CounterRandom(seed: 3, "width")
    let after = (0..<400).map { _ in random.coin() ? 1.0 : 0 }
    let change = PairedComparison(before: after.map { _ in 0 }, after: after, samples: 4000)
    let normal = 2 * 1.96 * (0.25 / 400.0).squareRoot()
    #expect(abs((change.interval.upperBound - change.interval.lowerBound) / normal - 1) < 0.06)
  }

  @Test("the smallest drop a suite can show") func power() {
    #expect(abs(Power.smallestDetectableDrop(count: 400, changedShare: 0.25) - 0.07004) < 1e-5)
  }
}
