import Datasets
import JSONValues
import Testing

@Suite("Task families") struct TaskTests {
  @Test("names are unique, and there are enough of them") func names() {
    #expect(Set(TaskFamily.all.map(\.name)).count == TaskFamily.all.count)
    #expect(TaskFamily.all.count >= 30)
    #expect(throws: DatasetError.self) { try TaskFamily.named("sorting") }
  }

  @Test(
    "both parts of every family are distinct and share no problem, at both ends of its difficulty and in both styles",
    arguments: TaskFamily.all)
  func disjoint(family: TaskFamily) throws {
    for difficulty in [family.difficulties.lowerBound + 2, family.difficulties.upperBound] {
      let sampler = try TaskSampler(family, difficulty: difficulty, seed: 3)
      let other = try TaskSampler(family, difficulty: difficulty, style: .words, seed: 4)
      let train = try sampler.problems(.train, count: difficulty < family.difficulties.upperBound && family.name == "parity" ? 8 : 60)
      let heldout = try other.problems(.heldout, count: family.name == "parity" ? 2 : 10)
      let canonical = Set(train.map(\.canonical))
      #expect(Set(train.map(\.symbols.prompt)).count == train.count)
      #expect(heldout.allSatisfy { !canonical.contains($0.canonical) })
      #expect(Set(train.map(\.words.prompt)).isDisjoint(with: heldout.map(\.words.prompt)))
      #expect(train.allSatisfy { $0.symbols.prompt.hasSuffix(" =") || family.form == .text })
    }
  }

  @Test("held-out records do not depend on train, and fewer are a prefix of more") func prefix() throws {
    let sampler = try TaskSampler(.named("reverse"), difficulty: 4, seed: 9)
    let more = try sampler.suite(count: 100).records
    _ = try sampler.records(.train, count: 700)
    #expect(try sampler.suite(count: 40).records == Array(more.prefix(40)))
  }

  @Test(
    "records are these",
    arguments: [
      ("reverse", 4, TaskStyle.symbols), ("addition", 2, .symbols), ("addition", 2, .words), ("palindrome", 4, .words),
      ("lookup", 2, .symbols),
    ]) func pinned(name: String, difficulty: Int, style: TaskStyle) throws
  {
    let record = try TaskSampler(.named(name), difficulty: difficulty, style: style, seed: 17).records(.train, count: 1)[0]
    #expect(record.json.encoded() == Self.pins["\(name) \(style)"])
  }

  static let pins = [
    "reverse symbols": #"{"prompt":"reverse u w s q =","completion":" q s w u","answer":"q s w u","verify":{"rule":"exact"}}"#,
    "addition symbols": #"{"prompt":"addition 3 8 + 7 0 =","completion":" 1 0 8","answer":"1 0 8","verify":{"rule":"exact"}}"#,
    "addition words": #"{"prompt":"What is 38 plus 70?","completion":"108","answer":"108","verify":{"rule":"numeric","take":"last"}}"#,
    "palindrome words":
      #"{"prompt":"Do these letters read the same forwards and backwards: i b b i? Answer yes or no.","completion":"yes","answer":"yes","#
      + #""verify":{"rule":"regex","pattern":"(?i)\\b(yes|no)\\b","ignore_case":true}}"#,
    "lookup symbols": #"{"prompt":"lookup u 3 w 2 : w =","completion":" 2","answer":"2","verify":{"rule":"exact"}}"#,
  ]

  @Test("a problem space that is too small is an error that says what to do") func exhausted() throws {
    let sampler = try TaskSampler(.named("multiplication"), difficulty: 1, seed: 0)
    let error = #expect(throws: DatasetError.self) { try sampler.problems(.heldout, count: 100) }
    #expect(error?.message.hasPrefix("family 'multiplication' at difficulty 1 gave only ") == true)
    #expect(
      error?.message.hasSuffix("distinct problems for heldout where 100 are asked for: raise the difficulty or ask for fewer") == true)
  }

  @Test("what cannot be drawn is refused") func refused() throws {
    #expect(throws: DatasetError("family 'reverse' has difficulties 2 to 16 (letters in the string), not 1")) {
      try TaskSampler(.named("reverse"), difficulty: 1, seed: 0)
    }
    #expect(throws: DatasetError("family 'lookup' needs an alphabet of 12 to 26 letters, not 5")) {
      try TaskSampler(.named("lookup"), difficulty: 2, alphabet: 5, seed: 0)
    }
    #expect(throws: DatasetError("family 'copy' cannot be asked as 'perplexity'")) {
      try TaskSampler(.named("copy"), difficulty: 2, form: .text, seed: 0)
    }
  }

  @Test("a choice record has the right answer once, among others", arguments: TaskFamily.all.filter { $0.form != .text })
  func choices(family: TaskFamily) throws {
    for style in TaskStyle.allCases {
      let difficulty = min(family.difficulties.lowerBound + 2, family.difficulties.upperBound)
      let suite = try TaskSampler(family, difficulty: difficulty, style: style, form: .choice, seed: 2).suite(count: 2)
      for record in suite.records {
        let gold = try #require(record.gold)
        #expect(record.choices.count >= 2 && Set(record.choices).count == record.choices.count)
        #expect(record.choices[gold] == record.answers[0])
        try suite.check(record)
      }
    }
  }
}

/// Each answer worked out again from the words of the prompt, by other code than the generator's.
@Suite("Task answers") struct TaskAnswerTests {
  typealias Rule = @Sendable (_ given: [String]) -> String

  static let rules: [String: Rule] = [
    "copy": { $0.joined(separator: " ") },
    "reverse": { String($0.joined(separator: " ").reversed()) },
    "sort": { $0.sorted().joined(separator: " ") },
    "rotate": { ($0[1...] + [$0[0]]).joined(separator: " ") },
    "swap": { given in
      given.count == 1 ? given[0] : ([given[given.count - 1]] + given[1..<given.count - 1] + [given[0]]).joined(separator: " ")
    },
    "uppercase": { $0.joined(separator: " ").uppercased() },
    "first": { $0[0] },
    "last": { $0[$0.count - 1] },
    "shift": { given in given.map { $0 == "z" ? "a" : String(UnicodeScalar(UInt8($0.utf8.first! + 1))) }.joined(separator: " ") },
    "deduplicate": { $0.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }.joined(separator: " ") },
    "count": { given in digits(given[2...].filter { $0 == given[0] }.count) },
    "most_common": { given in Dictionary(grouping: given) { $0 }.max { $0.value.count < $1.value.count }!.key },
    "palindrome": { $0 == $0.reversed() ? "yes" : "no" },
    "lookup": { given in given[given.firstIndex(of: given.last!)! + 1] },
    "maximum": { $0.max()! },
    "minimum": { $0.min()! },
    "sort_digits": { $0.sorted().joined(separator: " ") },
    "parity": { $0.filter { $0 == "1" }.count % 2 == 0 ? "even" : "odd" },
    "compare": { given in
      let sides = numbers(given, "?")
      return sides[0] > sides[1] ? ">" : "<"
    },
    "sequence": { given in
      let values = numbers(given, ",")
      return digits(2 * values[2] - values[1])
    },
    "sum_digits": { String($0.compactMap(Int.init).reduce(0, +) % 10) },
    "addition": { given in
      let n = numbers(given, "+")
      return digits(n[0] + n[1])
    },
    "subtraction": { given in
      let n = numbers(given, "-")
      return digits(n[0] - n[1])
    },
    "multiplication": { given in
      let n = numbers(given, "*")
      return digits(n[0] * n[1])
    },
    "division": { given in
      let n = numbers(given, "/")
      return digits(n[0] / n[1])
    },
    "remainder": { given in
      let n = numbers(given, "%")
      return digits(n[0] % n[1])
    },
    "gcd": { given in
      let n = numbers(given, "gcd")
      return digits((1...n[0]).last { n[0] % $0 == 0 && n[1] % $0 == 0 }!)
    },
    "lcm": { given in
      let n = numbers(given, "lcm")
      return digits((1...n[0] * n[1]).first { $0 % n[0] == 0 && $0 % n[1] == 0 }!)
    },
  ]

  static func digits(_ number: Int) -> String { String(number).map(String.init).joined(separator: " ") }

  static func numbers(_ given: [String], _ separator: String) -> [Int] {
    given.split(separator: separator).compactMap { Int($0.joined()) }
  }

  @Test("answers are right", arguments: rules.keys.sorted()) func right(name: String) throws {
    let family = try TaskFamily.named(name)
    let rule = try #require(Self.rules[name])
    for difficulty in family.difficulties.prefix(5) {
      var random = CounterRandom(seed: 11, "test", name)
      for _ in 0..<200 {
        let problem = family.problem(&random, .init(difficulty: difficulty))
        let given = problem.symbols.prompt.split(separator: " ").map(String.init)
        #expect(given.first == name && given.last == "=")
        #expect(rule(Array(given.dropFirst().dropLast())) == problem.symbols.answer, "\(problem.symbols.prompt)")
        let spoken = problem.words.answer.lowercased().filter { $0 != " " }
        #expect(name == "compare" || spoken == problem.symbols.answer.lowercased().filter { $0 != " " })
      }
    }
  }

  @Test("every family but the ones about words and text is worked out again") func complete() {
    let others = ["category", "opposite", "sentences"]
    #expect(Set(Self.rules.keys) == Set(TaskFamily.all.map(\.name)).subtracting(others))
  }

  @Test("the knowledge families know their words") func knowledge() throws {
    var random = CounterRandom(seed: 1, "test")
    let category = try TaskFamily.named("category")
    for _ in 0..<300 {
      let problem = category.problem(&random, .init(difficulty: 4))
      let given = problem.symbols.prompt.split(separator: " ").map(String.init)
      #expect(given.count == 8 && given[3...6].contains(problem.symbols.answer) && Set(given[3...6]).count == 4)
      #expect(Set(problem.symbols.distractors) == Set(given[3...6]).subtracting([problem.symbols.answer]))
    }
  }

  @Test("sentences agree in number") func sentences() {
    var random = CounterRandom(seed: 1, "test")
    for _ in 0..<300 {
      let words = TaskFamily.all.last!.problem(&random, .init(difficulty: 1)).symbols.prompt.split(separator: " ").map(String.init)
      let verb = ["sees", "likes", "follows", "finds", "helps", "hears", "meets", "calls"].first {
        words.contains($0) || words.contains(String($0.dropLast()))
      }!
      let place = words.firstIndex { $0 == verb || $0 == String(verb.dropLast()) }!
      let plural = words[place - 1].hasSuffix("s") || words[place - 1] == "children"
      #expect(plural == (words[place] != verb))
    }
  }
}

@Suite("Counter-based random numbers") struct CounterRandomTests {
  /// Known answers of Philox 4×32-10 from the authors' Random123: counter and key of zeros, and of ones.
  @Test("the first block of key 0, counter 0 is the published one") func known() {
    var zero = CounterRandom(seed: 0, stream: 0)
    let first = zero.next()
    let second = zero.next()
    #expect(
      [UInt32(truncatingIfNeeded: first), UInt32(first >> 32), UInt32(truncatingIfNeeded: second), UInt32(second >> 32)]
        == [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8])
  }

  @Test("draws below a bound stay there and are even") func even() {
    var random = CounterRandom(seed: 5, "even")
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[random.below(7)] += 1 }
    #expect(counts.allSatisfy { abs($0 - 10_000) < 400 })
    #expect((0..<1000).allSatisfy { _ in (0..<1).contains(random.uniform()) })
    #expect(random.shuffled(Array(0..<20)).sorted() == Array(0..<20))
  }

  @Test("streams are apart, and a pass's order is a permutation that is its own") func streams() {
    var one = CounterRandom(seed: 1, "a", "bc")
    var other = CounterRandom(seed: 1, "ab", "c")
    #expect(one.next() != other.next())
    let order = TokenOrder.pass(0, count: 100, seed: 3)
    #expect(
      order.sorted() == Array(0..<100) && order != TokenOrder.pass(1, count: 100, seed: 3)
        && order == TokenOrder.pass(0, count: 100, seed: 3))
  }
}
