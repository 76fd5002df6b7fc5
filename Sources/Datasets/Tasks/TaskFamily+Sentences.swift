/// Plain text from a small grammar, for pretraining and for perplexity: subjects and verbs agree in number, so there is something to learn.
extension TaskFamily {
  static let sentences = TaskFamily(
    "sentences", "Plain text of simple sentences; subject and verb agree.", difficulty: "sentences in a record", 1...64, form: .text
  ) { random, shape in
    let sentences = (0..<shape.difficulty).map { _ in Grammar.sentence(&random) }
    let symbols = sentences.map { Symbols.row($0 + ["."]) }.joined(separator: " ")
    let words = sentences.map { sentence in sentence[0].capitalizedFirst + " " + Symbols.row(Array(sentence.dropFirst())) + "." }
    return Problem(symbols: Phrasing(symbols, ""), words: Phrasing(words.joined(separator: " "), ""))
  }
}

private enum Grammar {
  static let nouns = "cat dog bird child teacher farmer king robot doctor rabbit horse sailor".split(separator: " ").map(String.init)
  static let plurals = "cats dogs birds children teachers farmers kings robots doctors rabbits horses sailors".split(separator: " ").map(
    String.init)
  static let adjectives = "small old red quiet happy tall young clever tired brave".split(separator: " ").map(String.init)
  static let verbs = "sees likes follows finds helps hears meets calls".split(separator: " ").map(String.init)
  static let pluralVerbs = "see like follow find help hear meet call".split(separator: " ").map(String.init)
  static let places = "garden house river market forest school bridge hill".split(separator: " ").map(String.init)
  static let prepositions = "in near behind by".split(separator: " ").map(String.init)

  static func sentence(_ random: inout CounterRandom) -> [String] {
    let plural = random.coin()
    let verb = random.below(verbs.count)
    let subject = nounPhrase(plural, &random)
    let object = nounPhrase(random.coin(), &random)
    let place = random.below(3) == 0 ? [random.element(of: prepositions), "the", random.element(of: places)] : []
    return subject + [plural ? pluralVerbs[verb] : verbs[verb]] + object + place
  }

  private static func nounPhrase(_ plural: Bool, _ random: inout CounterRandom) -> [String] {
    let noun = random.below(nouns.count)
    let adjective = random.coin() ? [random.element(of: adjectives)] : []
    return ["the"] + adjective + [plural ? plurals[noun] : nouns[noun]]
  }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
