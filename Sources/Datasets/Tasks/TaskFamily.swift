/// A family of problems with answers that can be checked: a name, what its difficulty means, and a generator. Knows nothing of parts and files.
package struct TaskFamily: Sendable {
  /// What a held-out suite of the family measures unless asked otherwise.
  package enum Form: String, Sendable, CaseIterable {
    /// The model writes the answer.
    case generation
    /// The model's log-likelihoods choose among given answers.
    case choice = "multiple_choice"
    /// The model's log-likelihood of plain text.
    case text = "perplexity"
  }

  /// What a problem is drawn from.
  package struct Shape: Sendable {
    package let difficulty: Int
    /// How many letters there are, from "a" on.
    package let alphabet: Int

    package init(difficulty: Int, alphabet: Int = 26) {
      self.difficulty = difficulty
      self.alphabet = alphabet
    }
  }

  package let name: String
  /// One sentence: what the model has to do.
  package let summary: String
  /// What the integer counts: "letters in the string".
  package let difficulty: String
  package let difficulties: ClosedRange<Int>
  /// Whether the size of the alphabet matters to it, and the fewest letters it needs.
  package let minimumAlphabet: Int?
  package let form: Form
  package let problem: @Sendable (inout CounterRandom, Shape) -> Problem

  init(
    _ name: String, _ summary: String, difficulty: String, _ difficulties: ClosedRange<Int>, minimumAlphabet: Int? = nil,
    form: Form = .generation,
    problem: @escaping @Sendable (inout CounterRandom, Shape) -> Problem
  ) {
    self.name = name
    self.summary = summary
    self.difficulty = difficulty
    self.difficulties = difficulties
    self.minimumAlphabet = minimumAlphabet
    self.form = form
    self.problem = problem
  }

  /// Every family, in the order of the documentation.
  package static let all = strings + lists + numbers + arithmetic + knowledge + [sentences]

  package static func named(_ name: String) throws(DatasetError) -> TaskFamily {
    guard let family = all.first(where: { $0.name == name }) else {
      throw DatasetError("unknown task family '\(name)'; known are \(all.map(\.name).joined(separator: ", "))")
    }
    return family
  }
}

extension CounterRandom {
  /// One of the first letters of the alphabet.
  mutating func letter(_ alphabet: Int) -> String { Symbols.letters[below(alphabet)] }

  mutating func letters(_ count: Int, _ alphabet: Int) -> [String] { (0..<count).map { _ in letter(alphabet) } }

  mutating func digits(_ count: Int) -> [Int] { (0..<count).map { _ in below(10) } }
}

/// How symbols are written: apart, so that each is a token of its own to any tokenizer.
enum Symbols {
  static let letters = (UInt8(ascii: "a")...UInt8(ascii: "z")).map { String(UnicodeScalar($0)) }

  static func row(_ elements: [String]) -> String { elements.joined(separator: " ") }

  static func row(_ elements: [Int]) -> String { row(elements.map(String.init)) }

  /// 47 -> "4 7"
  static func spaced(_ number: Int) -> String { row(String(number).map(String.init)) }

  static func power(_ exponent: Int) -> Int { (0..<exponent).reduce(1) { power, _ in power * 10 } }

  /// "3, 8 and 5"
  static func list(_ elements: [String], _ conjunction: String = "and") -> String {
    guard elements.count > 1, let last = elements.last else { return elements.joined() }
    return "\(elements.dropLast().joined(separator: ", ")) \(conjunction) \(last)"
  }
}
