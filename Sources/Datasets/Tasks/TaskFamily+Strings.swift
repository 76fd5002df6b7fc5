/// Families over short strings of letters.
extension TaskFamily {
  static let strings: [TaskFamily] = [
    transform("copy", "Repeat the letters.", 1...16, "Repeat these letters: %.") { $0 },
    transform("reverse", "Write the letters in reverse order.", 2...16, "Write these letters in reverse order: %.") { $0.reversed() },
    transform("sort", "Write the letters in alphabetical order.", 2...16, "Sort these letters alphabetically: %.", unordered: true) {
      $0.sorted()
    },
    transform("rotate", "Move the first letter to the end.", 2...16, "Move the first of these letters to the end: %.") {
      Array($0.dropFirst()) + $0.prefix(1)
    },
    transform("swap", "Exchange the first and the last letter.", 2...16, "Exchange the first and the last of these letters: %.") {
      letters in
      var swapped = letters
      swapped.swapAt(0, letters.count - 1)
      return swapped
    },
    transform("uppercase", "Write the letters as capitals.", 1...16, "Write these letters in upper case: %.", sensitive: true) {
      $0.map { $0.uppercased() }
    },
    transform("first", "Name the first letter.", 2...16, "What is the first of these letters: %?") { Array($0.prefix(1)) },
    transform("last", "Name the last letter.", 2...16, "What is the last of these letters: %?") { Array($0.suffix(1)) },
    TaskFamily(
      "shift", "Replace each letter by the one after it in the alphabet; a follows the last.", difficulty: "letters in the string", 1...16,
      minimumAlphabet: 2
    ) { random, shape in
      let letters = random.letters(shape.difficulty, shape.alphabet)
      let shifted = letters.map { Symbols.letters[(Int($0.utf8.first ?? 0) - 96) % shape.alphabet] }
      let wrap = Symbols.letters[shape.alphabet - 1]
      return Problem(
        symbols: .symbols("shift", Symbols.row(letters), Symbols.row(shifted)),
        words: .sequence(
          "Replace each of these letters by the next one in the alphabet (after \(wrap) comes a): \(Symbols.row(letters)).",
          Symbols.row(shifted)))
    },
    TaskFamily(
      "deduplicate", "Keep only the first of equal letters.", difficulty: "letters in the string", 2...16, minimumAlphabet: 2
    ) { random, shape in
      let pool = random.sample(min(shape.alphabet, max(2, shape.difficulty * 2 / 3)), of: Array(Symbols.letters.prefix(shape.alphabet)))
      let letters = (0..<shape.difficulty).map { _ in random.element(of: pool) }
      let distinct = letters.enumerated().filter { index, letter in !letters.prefix(index).contains(letter) }.map(\.element)
      return Problem(
        symbols: .symbols("deduplicate", Symbols.row(letters), Symbols.row(distinct)),
        words: .sequence("Remove repeated letters, keeping the first of each: \(Symbols.row(letters)).", Symbols.row(distinct)))
    },
  ]

  /// A family that maps a random string of letters to another.
  private static func transform(
    _ name: String, _ summary: String, _ difficulties: ClosedRange<Int>, _ question: String, unordered: Bool = false,
    sensitive: Bool = false,
    _ change: @escaping @Sendable ([String]) -> [String]
  ) -> TaskFamily {
    TaskFamily(name, summary, difficulty: "letters in the string", difficulties, minimumAlphabet: 2) { random, shape in
      let letters = random.letters(shape.difficulty, shape.alphabet)
      let answer = Symbols.row(change(letters))
      let asked = question.split(separator: "%", omittingEmptySubsequences: false).joined(separator: Symbols.row(letters))
      return Problem(
        canonical: unordered ? Symbols.row(letters.sorted()) : nil, symbols: .symbols(name, Symbols.row(letters), answer),
        words: sensitive ? Phrasing(asked, answer, .exact(.init(ignorePunctuation: true))) : .sequence(asked, answer))
    }
  }
}
