/// Draws the train and the held-out part of a family.
///
/// A problem belongs to a part by a hash of what it asks, whatever the seed, the sizes and the style: so no train part of any seed holds a
/// problem of any held-out part of the family. Each part has its own stream of random numbers, so held-out bytes do not move with `train`.
package struct TaskSampler: Sendable {
  package enum Part: String, Sendable, CaseIterable { case train, heldout }

  package let family: TaskFamily
  package let shape: TaskFamily.Shape
  package let style: TaskStyle
  package let form: TaskFamily.Form
  package let seed: UInt64

  /// One problem in four is held out.
  package static let heldoutShare = 0.25

  package init(
    _ family: TaskFamily, difficulty: Int, alphabet: Int = 26, style: TaskStyle = .symbols, form: TaskFamily.Form? = nil, seed: UInt64
  ) throws(DatasetError) {
    guard family.difficulties.contains(difficulty) else {
      throw DatasetError(
        "family '\(family.name)' has difficulties \(family.difficulties.lowerBound) to \(family.difficulties.upperBound) (\(family.difficulty)), "
          + "not \(difficulty)")
    }
    let fewest = family.minimumAlphabet ?? 1
    guard (fewest...26).contains(alphabet) else {
      throw DatasetError("family '\(family.name)' needs an alphabet of \(fewest) to 26 letters, not \(alphabet)")
    }
    let form = form ?? family.form
    guard (form == .text) == (family.form == .text) else {
      throw DatasetError("family '\(family.name)' cannot be asked as '\(form.rawValue)'")
    }
    self.family = family
    self.shape = TaskFamily.Shape(difficulty: difficulty, alphabet: alphabet)
    self.style = style
    self.form = form
    self.seed = seed
  }

  /// Which part a problem belongs to.
  package func part(of problem: Problem) -> Part {
    let hash = StableHash.of([family.name, problem.canonical])
    return Double(hash >> 11) * 0x1p-53 < Self.heldoutShare ? .heldout : .train
  }

  /// The first `count` distinct problems of a part; a smaller count gives a prefix of a larger one.
  package func problems(_ part: Part, count: Int) throws(DatasetError) -> [Problem] {
    var random = CounterRandom(seed: seed, "task", family.name, part.rawValue)
    var seen: Set<[UInt8]> = []
    var problems: [Problem] = []
    var fruitless = 0
    while problems.count < count {
      let problem = family.problem(&random, shape)
      if self.part(of: problem) == part, seen.insert(Array(problem.symbols.prompt.utf8)).inserted {
        problems.append(problem)
        fruitless = 0
      } else {
        fruitless += 1
        guard fruitless < 4096 + 64 * problems.count else {
          throw DatasetError(
            "family '\(family.name)' at difficulty \(shape.difficulty) gave only \(problems.count) distinct problems for \(part.rawValue) where \(count) "
              + "are asked for: raise the difficulty or ask for fewer")
        }
      }
    }
    return problems
  }

  package func records(_ part: Part, count: Int) throws(DatasetError) -> [Record] {
    try problems(part, count: count).enumerated().map { index, problem in record(problem, part, index) }
  }

  /// A suite of held-out problems.
  package func suite(count: Int) throws(DatasetError) -> Suite {
    Suite(
      name: family.name, scoring: scoring, delimiter: style == .symbols && form != .generation ? " " : "",
      records: try records(.heldout, count: count))
  }

  private var scoring: Suite.Scoring {
    switch form {
    case .generation: .generation(nil, maxNewTokens: style == .symbols ? 2 * shape.difficulty + 16 : 32, stop: ["\n"])
    case .choice: .multipleChoice
    case .text: .perplexity
    }
  }

  // MARK: - Records

  private func record(_ problem: Problem, _ part: Part, _ index: Int) -> Record {
    let phrasing = problem.phrasing(style)
    switch form {
    case .text: return Record(.text(phrasing.prompt))
    case .generation:
      return Record(
        .prompted(.text(phrasing.prompt), completion: completion(phrasing)), answers: [phrasing.answer], verify: phrasing.verify)
    case .choice:
      var random = CounterRandom(seed: seed, "choices", family.name, part.rawValue, String(index))
      let choices = random.shuffled([phrasing.answer] + wrongAnswers(to: phrasing, &random))
      return Record(
        .prompted(.text(phrasing.prompt), completion: completion(phrasing)), answers: [phrasing.answer], choices: choices,
        gold: choices.firstIndex(of: phrasing.answer))
    }
  }

  /// Symbols are written apart, the answer's first from the prompt too.
  private func completion(_ phrasing: Phrasing) -> Utterance { .text(style == .symbols ? " " + phrasing.answer : phrasing.answer) }

  /// Up to three wrong answers: the family's own; else near numbers, other orders of the same symbols, answers to other problems.
  private func wrongAnswers(to phrasing: Phrasing, _ random: inout CounterRandom) -> [String] {
    guard phrasing.distractors.isEmpty else { return phrasing.distractors }
    var wrong: [String] = []
    func add(_ candidate: String) {
      if wrong.count < 3, candidate != phrasing.answer, !wrong.contains(candidate) { wrong.append(candidate) }
    }
    let symbols = phrasing.answer.split(separator: " ").map(String.init)
    if let number = Int(symbols.joined()) {
      for offset in random.shuffled([-10, -2, -1, 1, 2, 10]) where number + offset >= 0 {
        add(style == .symbols ? Symbols.spaced(number + offset) : String(number + offset))
      }
    }
    for _ in 0..<8 where symbols.count > 1 { add(Symbols.row(random.shuffled(symbols))) }
    for _ in 0..<256 where wrong.count < 3 { add(family.problem(&random, shape).phrasing(style).answer) }
    return wrong
  }
}
