/// Families over small numbers that are not plain arithmetic.
extension TaskFamily {
  static let numbers: [TaskFamily] = [
    TaskFamily("compare", "Say which of two numbers is larger.", difficulty: "digits of each number", 1...9) { random, shape in
      let limit = Symbols.power(shape.difficulty)
      let left = random.below(limit)
      let right = (left + 1 + random.below(limit - 1)) % limit
      let sign = left > right ? ">" : "<"
      let larger = max(left, right)
      return Problem(
        canonical: "\(min(left, right)) \(larger)",
        symbols: .symbols("compare", "\(Symbols.spaced(left)) ? \(Symbols.spaced(right))", sign, distractors: [left > right ? "<" : ">"]),
        words: Phrasing(
          "Which number is larger, \(left) or \(right)?", String(larger), .numeric(NumericRule()), distractors: [String(min(left, right))]))
    },
    TaskFamily("sequence", "Continue a sequence with a constant step, up or down.", difficulty: "the largest step", 1...30) {
      random, shape in
      let step = random.integer(in: 1...shape.difficulty)
      let low = random.integer(in: 0...99 - 3 * step)
      let rising = (0..<4).map { low + $0 * step }
      let values = random.coin() ? rising : rising.reversed()
      let given = values.dropLast()
      return Problem(
        symbols: .symbols("sequence", given.map(Symbols.spaced).joined(separator: " , "), Symbols.spaced(values[3])),
        words: .number("Which number comes next: \(given.map(String.init).joined(separator: ", "))?", values[3]))
    },
    TaskFamily("sum_digits", "Add digits and give the last digit of the sum.", difficulty: "digits in the list", 2...12) { random, shape in
      let digits = random.digits(shape.difficulty)
      let answer = digits.reduce(0, +) % 10
      return Problem(
        canonical: Symbols.row(digits.sorted()), symbols: .symbols("sum_digits", Symbols.row(digits), String(answer)),
        words: .number("What is the last digit of the sum of \(Symbols.list(digits.map(String.init)))?", answer))
    },
  ]
}
