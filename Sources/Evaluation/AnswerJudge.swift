import Datasets

/// Judges completions by one rule. Pure: the same completion and record give the same judgement, whoever asks.
package struct AnswerJudge: Sendable {
  package struct Judgement: Sendable, Equatable {
    /// What was taken for the answer; nil where the completion holds none.
    package let extracted: String?
    package let isRight: Bool
  }

  private enum Method: Sendable {
    case exact(Normalizer)
    case contains(Normalizer)
    case numeric(NumericRule)
    case regex(RegexRule, Pattern, Normalizer)
    case choice
  }

  private let method: Method

  package init(_ rule: VerifyRule) throws(DatasetError) {
    switch rule {
    case .exact(let normalization): method = .exact(try Normalizer(normalization))
    case .contains(let normalization): method = .contains(try Normalizer(normalization))
    case .numeric(let rule): method = .numeric(rule)
    case .choice: method = .choice
    case .regex(let rule):
      let pattern = try Pattern(rule.pattern)
      guard rule.group <= pattern.groupCount else {
        throw DatasetError("'\(rule.pattern)' has \(pattern.groupCount) groups, the rule wants group \(rule.group)")
      }
      method = .regex(rule, pattern, try Normalizer(rule.normalization))
    }
  }

  package func judge(_ completion: String, _ record: Record) -> Judgement {
    let extracted = extract(completion, record)
    return Judgement(extracted: extracted, isRight: extracted.map { matches($0, record) } ?? false)
  }

  /// Whether the record says what a right answer is; without that a judgement means nothing.
  package func canJudge(_ record: Record) -> Bool {
    if case .choice = method { return record.gold != nil }
    return !record.expectedAnswers.isEmpty
  }

  /// Two answers of equal form count as one when the best constant answer is looked for.
  func form(of answer: String, _ record: Record) -> String {
    switch method {
    case .exact(let normalize), .contains(let normalize), .regex(_, _, let normalize): normalize(answer)
    case .numeric: NumberScanner.whole(answer).map { "\($0.value)" } ?? answer
    case .choice: record.gold.map(Self.letter) ?? answer
    }
  }

  // MARK: - Taking the answer out

  private func extract(_ completion: String, _ record: Record) -> String? {
    switch method {
    case .exact, .contains: return completion
    case .numeric(let rule):
      switch rule.take {
      case .first: return NumberScanner.numbers(in: completion).first?.text
      case .last: return NumberScanner.numbers(in: completion).last?.text
      case .whole: return NumberScanner.whole(completion)?.text
      }
    case .regex(let rule, let pattern, _):
      let found = pattern.matches(in: completion, group: rule.group)
      return rule.take == .first ? found.first : found.last
    case .choice: return Self.named(completion, record.choices).map(Self.letter)
    }
  }

  private func matches(_ extracted: String, _ record: Record) -> Bool {
    let answers = record.expectedAnswers
    switch method {
    case .exact(let normalize), .regex(_, _, let normalize):
      let text = normalize(extracted)
      return answers.contains { normalize($0).hasSameBytes(as: text) }
    case .contains(let normalize):
      let text = Array(normalize(extracted).utf8)
      return answers.contains { text.contains(Array(normalize($0).utf8)) }
    case .numeric(let rule):
      guard let value = NumberScanner.whole(extracted)?.value else { return false }
      return answers.compactMap { NumberScanner.whole($0)?.value }.contains { target in
        (value - target).magnitude <= rule.tolerance + rule.relativeTolerance * target.magnitude
      }
    case .choice: return record.gold.map { Self.letter($0).hasSameBytes(as: extracted) } ?? false
    }
  }

  // MARK: - Choices

  private static func letter(_ index: Int) -> String { index < 26 ? String(UnicodeScalar(UInt8(65 + index))) : String(index) }

  /// The choice that a completion names: by being it, by the first capital letter that stands alone, or by the first choice that occurs in it.
  private static func named(_ completion: String, _ choices: [String]) -> Int? {
    let plain: (String) -> String = { text in text.lowercased().trimmed.without { $0 == "." } }
    let said = plain(completion)
    if let index = choices.firstIndex(where: { plain($0).hasSameBytes(as: said) }) { return index }
    let words = completion.unicodeScalars.split { !$0.properties.isAlphabetic && !("0"..."9").contains($0) && $0 != "'" }
    let letters = words.compactMap { word in word.count == 1 ? word.first.flatMap { $0.value >= 65 ? Int($0.value) - 65 : nil } : nil }
    if let index = letters.first(where: { choices.indices.contains($0) }) { return index }
    let bytes = Array(said.utf8)
    let places = choices.enumerated().compactMap { index, choice in
      bytes.firstRange(of: Array(plain(choice).utf8)).map { ($0.lowerBound, -choice.utf8.count, index) }
    }
    return places.min { $0 < $1 }?.2
  }
}
