/// Families of arithmetic on two numbers.
extension TaskFamily {
  static let arithmetic: [TaskFamily] = [
    operation("addition", "+", "Add two numbers.", "digits of each summand, at most", 1...9, commutes: true) { random, difficulty in
      let (left, right) = (random.below(Symbols.power(difficulty)), random.below(Symbols.power(difficulty)))
      return (left, right, left + right)
    } question: {
      "What is \($0) plus \($1)?"
    },
    operation("subtraction", "-", "Subtract the smaller of two numbers from the larger.", "digits of each number, at most", 1...9) {
      random, difficulty in
      let (one, other) = (random.below(Symbols.power(difficulty)), random.below(Symbols.power(difficulty)))
      return (max(one, other), min(one, other), max(one, other) - min(one, other))
    } question: {
      "What is \($0) minus \($1)?"
    },
    operation(
      "multiplication", "*", "Multiply two numbers.",
      "digits of both factors together, less one (1: one-digit factors, 3: two-digit factors)", 1...7,
      commutes: true
    ) { random, difficulty in
      let left = random.below(Symbols.power((difficulty + 2) / 2))
      let right = random.below(Symbols.power((difficulty + 1) / 2))
      return (left, right, left * right)
    } question: {
      "What is \($0) times \($1)?"
    },
    operation("division", "/", "Divide a number by a one-digit number, without remainder.", "digits of the quotient, at most", 1...8) {
      random, difficulty in
      let (divisor, quotient) = (random.integer(in: 1...9), random.below(Symbols.power(difficulty)))
      return (divisor * quotient, divisor, quotient)
    } question: {
      "What is \($0) divided by \($1)?"
    },
    operation("remainder", "%", "Give the remainder of a division by a one-digit number.", "digits of the dividend, at most", 1...9) {
      random, difficulty in
      let (dividend, divisor) = (random.below(Symbols.power(difficulty)), random.integer(in: 2...9))
      return (dividend, divisor, dividend % divisor)
    } question: {
      "What is the remainder when \($0) is divided by \($1)?"
    },
    operation("gcd", "gcd", "Find the greatest common divisor.", "tens up to which the numbers go (1: up to 10)", 1...100, commutes: true) {
      random, difficulty in
      let (left, right) = (random.integer(in: 1...10 * difficulty), random.integer(in: 1...10 * difficulty))
      return (left, right, commonDivisor(left, right))
    } question: {
      "What is the greatest common divisor of \($0) and \($1)?"
    },
    operation("lcm", "lcm", "Find the least common multiple.", "tens up to which the numbers go (1: up to 10)", 1...100, commutes: true) {
      random, difficulty in
      let (left, right) = (random.integer(in: 1...10 * difficulty), random.integer(in: 1...10 * difficulty))
      return (left, right, left / commonDivisor(left, right) * right)
    } question: {
      "What is the least common multiple of \($0) and \($1)?"
    },
  ]

  private static func operation(
    _ name: String, _ sign: String, _ summary: String, _ meaning: String, _ difficulties: ClosedRange<Int>, commutes: Bool = false,
    draw: @escaping @Sendable (inout CounterRandom, Int) -> (left: Int, right: Int, result: Int),
    question: @escaping @Sendable (Int, Int) -> String
  ) -> TaskFamily {
    TaskFamily(name, summary, difficulty: meaning, difficulties) { random, shape in
      let (left, right, result) = draw(&random, shape.difficulty)
      return Problem(
        canonical: commutes ? "\(min(left, right)) \(max(left, right))" : nil,
        symbols: .symbols(name, "\(Symbols.spaced(left)) \(sign) \(Symbols.spaced(right))", Symbols.spaced(result)),
        words: .number(question(left, right), result))
    }
  }

  private static func commonDivisor(_ left: Int, _ right: Int) -> Int { right == 0 ? left : commonDivisor(right, left % right) }
}
