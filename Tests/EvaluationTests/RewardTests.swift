import Datasets
import Evaluation
import JSONValues
import Testing
import Tokenization

@Suite("Rewards") struct RewardTests {
  /// The values of the first completion's components, by name.
  private func values(
    _ components: JSONValue..., completion: String = "", ids: [Int32] = [], record: Record? = nil
  ) throws -> [Double?] {
    let record = record ?? Record(.prompted(.text("2 + 2"), completion: nil), answers: ["4"], verify: .numeric(NumericRule()))
    let request = RewardRequest(record: record, promptText: "2 + 2", completion: completion, completionIDs: ids, isComplete: true)
    return try RewardSum(components).score([request])[0].components.map(\.value)
  }

  private func failure(_ components: JSONValue...) -> String? {
    do {
      _ = try RewardSum(components)
      return nil
    } catch { return "\(error)" }
  }

  @Test("each kind judges as the rule of its name does")
  func rules() throws {
    let record = Record(
      .prompted(.text("q"), completion: nil), answers: ["Paris"], choices: ["Rome", "Paris"], gold: 1)
    func value(_ component: JSONValue, _ completion: String) throws -> Double? {
      try values(component, completion: completion, record: record)[0]
    }
    #expect(try value(["kind": "exact"], " Paris\n") == 1)
    #expect(try value(["kind": "exact"], "paris") == 0)
    #expect(try value(["kind": "exact", "ignore_case": true], "paris") == 1)
    #expect(try value(["kind": "exact", "strip": false], " Paris") == 0)
    #expect(try value(["kind": "exact", "regexes_to_ignore": ["^The "]], "The Paris") == 1)
    #expect(try value(["kind": "contains"], "It is Paris.") == 1)
    #expect(try value(["kind": "contains"], "It is Rome.") == 0)
    #expect(try value(["kind": "choice"], "B") == 1)
    #expect(try value(["kind": "choice"], "Rome") == 0)
    #expect(try value(["kind": "regex", "pattern": #"\\boxed\{(.*?)\}"#], #"so \boxed{Paris}"#) == 1)
    #expect(try value(["kind": "regex", "pattern": #"\\boxed\{(.*?)\}"#], "so Paris") == 0)
    #expect(try value(["kind": "regex", "pattern": "[A-Z][a-z]+", "group": 0, "take": "last"], "Not Rome but Paris") == 1)
  }

  @Test("numeric takes the last number, within its tolerance")
  func numeric() throws {
    #expect(try values(["kind": "numeric"], completion: "2 + 2 = 4") == [1])
    #expect(try values(["kind": "numeric"], completion: "4, or 5") == [0])
    #expect(try values(["kind": "numeric", "take": "first"], completion: "4, or 5") == [1])
    #expect(try values(["kind": "numeric", "tolerance": 0.5], completion: "4.5") == [1])
    #expect(try values(["kind": "numeric", "tolerance": 0.4], completion: "4.5") == [0])
    #expect(try values(["kind": "numeric", "relative_tolerance": 0.125], completion: "3.5") == [1])
  }

  @Test("verify follows each record's own rule, and has nothing to say of a record without one")
  func verify() throws {
    let records = [
      Record(.prompted(.text("a"), completion: nil), answers: ["4"], verify: .numeric(NumericRule())),
      Record(.prompted(.text("b"), completion: nil), answers: ["4"], verify: .exact(TextNormalization())),
      Record(.prompted(.text("c"), completion: nil), answers: ["4"]),
      Record(.prompted(.text("d"), completion: nil), verify: .exact(TextNormalization())),
    ]
    let requests = records.map { RewardRequest(record: $0, promptText: "", completion: "It is 4", completionIDs: [], isComplete: true) }
    let scored = try RewardSum([["name": "accuracy", "kind": "verify"]]).score(requests)
    #expect(scored.map { $0["accuracy"] } == [1, 0, nil, nil])
    #expect(scored.map(\.total) == [1, 0, nil, nil])
  }

  @Test("a rule of a record that is no rule is an error at the record")
  func brokenRule() throws {
    let record = Record(.prompted(.text("a"), completion: nil), answers: ["4"], verify: .regex(RegexRule(pattern: "(")))
    let request = RewardRequest(
      record: record, promptText: "", completion: "4", completionIDs: [], isComplete: true, place: "prompts.jsonl:7")
    #expect {
      _ = try RewardSum([["kind": "verify"]]).score([request])
    } throws: { "\($0)" == "prompts.jsonl:7: reward 'verify': '(' is not a valid regular expression" }
  }

  @Test("format wants thoughts and a box, over several lines, from the first character to the last")
  func format() throws {
    let cases: [(String, Double)] = [
      (#"<think>a</think>\boxed{4}"#, 1), ("<think>\nfirst\nsecond\n</think>\nSo\n\\boxed{\\frac{1}{2}}\n", 1),
      (#"<think></think>\boxed{}"#, 1), (#"<think>a</think>\boxed{4} and that is it"#, 1), (#"Well, <think>a</think>\boxed{4}"#, 0),
      (#"\boxed{4}<think>a</think>"#, 0), ("<think>a</think>boxed{4}", 0), (#"<think>a \boxed{4}"#, 0), ("", 0),
    ]
    for (text, value) in cases { #expect(try values(["kind": "format"], completion: text) == [value], "\(text)") }
    // TRL's think_format_reward.
    let thoughts: JSONValue = ["kind": "format", "pattern": "^<think>(?!.*<think>)(.*?)</think>.*$"]
    #expect(try values(thoughts, completion: "<think>\nThis is my reasoning.\n</think>\nThis is my answer.") == [1])
    #expect(try values(thoughts, completion: "<think>\nThis is my reasoning.\nThis is my answer.") == [0])
    #expect(try values(["kind": "format", "pattern": "a|ab"], completion: "ab") == [1])
    #expect(try values(["kind": "format", "pattern": #"\d+"#], completion: "12 apples") == [0])
  }

  @Test("length: within bounds, or DAPO's soft punishment")
  func length() throws {
    func value(_ component: JSONValue, _ count: Int) throws -> Double? {
      try values(component, ids: [Int32](repeating: 1, count: count))[0]
    }
    let bounds: JSONValue = ["kind": "length", "min_length": 2, "max_length": 4]
    #expect(try [1, 2, 4, 5].map { try value(bounds, $0) } == [0, 1, 1, 0])
    let soft: JSONValue = ["kind": "length", "max_length": 100, "soft_punish_cache": 20]
    #expect(try [0, 80, 85, 90, 100, 101].map { try value(soft, $0) } == [0, 0, -0.25, -0.5, -1, -1])
    let hard: JSONValue = ["kind": "length", "max_length": 100, "soft_punish_cache": 0]
    #expect(try [100, 101].map { try value(hard, $0) } == [0, -1])
  }

  @Test("repetition: the share of repeated n-grams of tokens times the penalty")
  func repetition() throws {
    let pairs: JSONValue = ["kind": "repetition", "ngram_size": 2, "max_penalty": -1]
    #expect(try values(pairs, ids: [1, 2, 3, 4]) == [0])
    #expect(try values(pairs, ids: [5, 5, 5, 5, 5]) == [-0.75])
    #expect(try values(["kind": "repetition"], ids: [1, 1]) == [0])
    #expect(try values(["kind": "repetition", "max_penalty": -0.5], ids: [1, 1, 1, 1]) == [-0.25])
  }

  @Test("the sum weighs its components; a null one is left out, and makes the sum null where it is required or alone")
  func sum() throws {
    let silent = Record(.prompted(.text("q"), completion: nil))
    let spoken = Record(.prompted(.text("q"), completion: nil), answers: ["4"], verify: .numeric(NumericRule()))
    func totals(_ components: [JSONValue], _ completion: String) throws -> [Double?] {
      try RewardSum(components).score(
        [spoken, silent].map {
          RewardRequest(record: $0, promptText: "", completion: completion, completionIDs: [1], isComplete: true)
        }
      ).map(\.total)
    }
    let format: JSONValue = ["kind": "format", "weight": 0.1, "name": "form"]
    let right = #"<think>.</think>\boxed{4}"#
    #expect(try totals([["name": "accuracy", "kind": "verify", "weight": 0.9], format], right) == [1, 0.1])
    #expect(try totals([["name": "accuracy", "kind": "verify", "weight": 0.9], format], "4") == [0.9, 0])
    #expect(try totals([["name": "accuracy", "kind": "verify", "weight": 0.9, "required": true], format], right) == [1, nil])
    #expect(try totals([["kind": "verify"]], "4") == [1, nil])
    #expect(try totals([["kind": "verify"], ["kind": "length", "max_length": 3, "weight": -2]], "5") == [-2, -2])
    #expect(try RewardSum([["name": "accuracy", "kind": "verify"], format]).names == ["accuracy", "form"])
  }

  @Test("what a list of rewards can get wrong, each at its place")
  func faults() {
    expect(failure(), "rewards: the list is empty")
    expect(failure("accuracy"), "rewards[0]: must be a mapping, found a string")
    expect(
      failure(["kind": "verify"], ["kind": "lenght"]),
      "rewards[1]: 'kind' must be one of verify, exact, numeric, regex, choice, contains, format, length, repetition, command")
    expect(
      failure(["kind": "numeric", "pattern": "x"]),
      "rewards[0]: kind 'numeric' has no 'pattern'; it takes take, tolerance, relative_tolerance"
    )
    expect(failure(["kind": "verify", "take": "last"]), "rewards[0]: kind 'verify' has no 'take'; it takes no fields of its own")
    expect(failure(["kind": "verify", "take": nil]), nil)
    expect(
      failure(["kind": "exact"], ["kind": "exact"]), "rewards[1]: has the name of rewards[0], 'exact'; give each a 'name' of its own")
    expect(failure(["kind": "regex"]), "rewards[0]: a regex rule needs 'pattern'")
    expect(failure(["kind": "regex", "pattern": "("]), "rewards[0]: '(' is not a valid regular expression")
    expect(failure(["kind": "regex", "pattern": "a"]), "rewards[0]: 'a' has 0 groups, the rule wants group 1")
    expect(failure(["kind": "format", "pattern": "["]), "rewards[0]: '[' is not a valid regular expression")
    expect(failure(["kind": "length"]), "rewards[0]: kind 'length' needs 'min_length', 'max_length' or both")
    expect(failure(["kind": "length", "min_length": 5, "max_length": 4]), "rewards[0]: 'min_length' 5 is above 'max_length' 4")
    expect(
      failure(["kind": "length", "soft_punish_cache": 4]),
      "rewards[0]: 'soft_punish_cache' goes with 'max_length', and without 'min_length'")
    expect(
      failure(["kind": "length", "soft_punish_cache": 4, "max_length": 3]), "rewards[0]: 'soft_punish_cache' 4 is above 'max_length' 3")
    expect(failure(["kind": "repetition", "max_penalty": 1]), "rewards[0]: 'max_penalty' must be at most 0, it is 1")
    expect(failure(["kind": "command"]), "rewards[0]: kind 'command' needs 'command', a list of words")
    expect(
      failure(["kind": "command", "command": ["python3", "{program}/score.py"]]),
      "rewards[0]: '{program}/score.py' asks for the input 'reward_program', which is not given")
  }

  private func expect(_ found: String?, _ wanted: String?, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(found == wanted, sourceLocation: sourceLocation)
  }
}
