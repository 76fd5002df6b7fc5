/// Families that look something up in a short list: counting, comparing, finding.
extension TaskFamily {
  static let lists: [TaskFamily] = [
    TaskFamily("count", "Count how often a letter occurs.", difficulty: "letters in the string", 2...16, minimumAlphabet: 2) {
      random, shape in
      let letter = random.letter(shape.alphabet)
      let count = random.integer(in: 0...shape.difficulty)
      let others = Symbols.letters.prefix(shape.alphabet).filter { $0 != letter }
      let rest = (count..<shape.difficulty).map { _ in random.element(of: others) }
      let letters = random.shuffled(Array(repeating: letter, count: count) + rest)
      return Problem(
        symbols: .symbols("count", "\(letter) : \(Symbols.row(letters))", Symbols.spaced(count)),
        words: .number("How many times does the letter \(letter) occur in: \(Symbols.row(letters))?", count))
    },
    TaskFamily(
      "most_common", "Of two letters, name the one that occurs more often.", difficulty: "letters in the string", 3...17, minimumAlphabet: 2
    ) { random, shape in
      let pair = random.sample(2, of: Array(Symbols.letters.prefix(shape.alphabet)))
      let count = random.integer(in: shape.difficulty / 2 + 1...shape.difficulty - 1)
      let letters = random.shuffled(
        Array(repeating: pair[0], count: count) + Array(repeating: pair[1], count: shape.difficulty - count))
      return Problem(
        symbols: .symbols("most_common", Symbols.row(letters), pair[0], distractors: [pair[1]]),
        words: .sequence("Which letter occurs most often in: \(Symbols.row(letters))?", pair[0], distractors: [pair[1]]))
    },
    TaskFamily(
      "palindrome", "Say whether a string reads the same in both directions.", difficulty: "letters in the string", 2...16,
      minimumAlphabet: 2
    ) { random, shape in
      let half = random.letters((shape.difficulty + 1) / 2, shape.alphabet)
      var letters = half + half.prefix(shape.difficulty / 2).reversed()
      let isPalindrome = random.coin()
      if !isPalindrome {
        let place = random.below(shape.difficulty / 2)
        letters[place] = random.element(of: Symbols.letters.prefix(shape.alphabet).filter { $0 != letters[place] })
      }
      let answer = isPalindrome ? "yes" : "no"
      return Problem(
        symbols: .symbols("palindrome", Symbols.row(letters), answer, distractors: [isPalindrome ? "no" : "yes"]),
        words: .option(
          "Do these letters read the same forwards and backwards: \(Symbols.row(letters))? Answer yes or no.", answer, of: ["yes", "no"]))
    },
    TaskFamily("lookup", "Give the number that stands behind a letter.", difficulty: "pairs in the table", 1...12, minimumAlphabet: 12) {
      random, shape in
      let keys = random.sample(shape.difficulty, of: Array(Symbols.letters.prefix(shape.alphabet)))
      let values = random.digits(shape.difficulty)
      let wanted = random.below(shape.difficulty)
      let table = Symbols.row(zip(keys, values).map { "\($0) \($1)" })
      let said = Symbols.list(zip(keys, values).map { "\($0) is \($1)" })
      return Problem(
        symbols: .symbols("lookup", "\(table) : \(keys[wanted])", String(values[wanted])),
        words: .number("If \(said), which number is \(keys[wanted])?", values[wanted]))
    },
    extreme("maximum", "largest") { $0 },
    extreme("minimum", "smallest") { 9 - $0 },
    TaskFamily("sort_digits", "Write the digits from the smallest to the largest.", difficulty: "digits in the list", 2...16) {
      random, shape in
      let digits = random.digits(shape.difficulty)
      let sorted = Symbols.row(digits.sorted())
      return Problem(
        canonical: sorted, symbols: .symbols("sort_digits", Symbols.row(digits), sorted),
        words: .sequence("Sort these digits from the smallest to the largest: \(Symbols.row(digits)).", sorted))
    },
    TaskFamily("parity", "Say whether the number of ones is even or odd.", difficulty: "bits in the string", 2...24) { random, shape in
      let bits = (0..<shape.difficulty).map { _ in random.below(2) }
      let answer = bits.reduce(0, +) % 2 == 0 ? "even" : "odd"
      return Problem(
        symbols: .symbols("parity", Symbols.row(bits), answer, distractors: [answer == "even" ? "odd" : "even"]),
        words: .option("Is the number of ones in \(Symbols.row(bits)) even or odd?", answer, of: ["even", "odd"]))
    },
  ]

  /// The largest or smallest digit; the answer is uniform in 1…9 (or 0…8), so that no constant answer is right often.
  private static func extreme(_ name: String, _ adjective: String, _ flip: @escaping @Sendable (Int) -> Int) -> TaskFamily {
    TaskFamily(name, "Name the \(adjective) digit of a list.", difficulty: "digits in the list", 2...16) { random, shape in
      let peak = random.integer(in: 1...9)
      let others = (1..<shape.difficulty).map { _ in random.integer(in: 0...peak) }
      let digits = random.shuffled([peak] + others).map(flip)
      return Problem(
        canonical: Symbols.row(digits.sorted()), symbols: .symbols(name, Symbols.row(digits), String(flip(peak))),
        words: .number("Which is the \(adjective) of the numbers \(Symbols.list(digits.map(String.init)))?", flip(peak)))
    }
  }
}
