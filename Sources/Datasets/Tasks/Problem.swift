/// One problem of a family: what is asked and what is right, in both styles.
package struct Problem: Sendable, Equatable {
  /// Equal for problems that ask the same thing (3 + 5 and 5 + 3): they all belong to one part, train or held-out.
  package let canonical: String
  package let symbols: Phrasing
  package let words: Phrasing

  package init(canonical: String? = nil, symbols: Phrasing, words: Phrasing) {
    self.canonical = canonical ?? symbols.prompt
    self.symbols = symbols
    self.words = words
  }

  package func phrasing(_ style: TaskStyle) -> Phrasing { style == .symbols ? symbols : words }
}

/// How problems are put: short strings of symbols for models trained from nothing, or sentences for models that know a language.
package enum TaskStyle: String, Sendable, CaseIterable { case symbols, words }

/// A problem in one style.
package struct Phrasing: Sendable, Equatable {
  package let prompt: String
  package let answer: String
  package let verify: VerifyRule
  /// Wrong answers that fit the question, for multiple choice; where empty they are made from the answer.
  package let distractors: [String]

  package init(_ prompt: String, _ answer: String, _ verify: VerifyRule = .exact(.init()), distractors: [String] = []) {
    self.prompt = prompt
    self.answer = answer
    self.verify = verify
    self.distractors = distractors
  }

  /// `reverse d a c b =`: the family's word, what is given, and the sign after which the answer stands.
  static func symbols(_ word: String, _ given: String, _ answer: String, distractors: [String] = []) -> Phrasing {
    Phrasing("\(word) \(given) =", answer, distractors: distractors)
  }

  /// The last number that is said counts.
  static func number(_ question: String, _ answer: Int) -> Phrasing { Phrasing(question, String(answer), .numeric(NumericRule())) }

  /// Letters or words: case and punctuation do not matter.
  static func sequence(_ question: String, _ answer: String, distractors: [String] = []) -> Phrasing {
    Phrasing(question, answer, .exact(.init(ignoreCase: true, ignorePunctuation: true)), distractors: distractors)
  }

  /// The first of the options that is said counts.
  static func option(_ question: String, _ answer: String, of options: [String]) -> Phrasing {
    Phrasing(
      question, answer, .regex(RegexRule(pattern: "(?i)\\b(\(options.joined(separator: "|")))\\b", normalization: .init(ignoreCase: true))),
      distractors: options.filter { $0 != answer })
  }
}
