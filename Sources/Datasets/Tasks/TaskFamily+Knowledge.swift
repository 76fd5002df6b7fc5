/// Multiple-choice families about the meaning of common words.
extension TaskFamily {
  static let knowledge: [TaskFamily] = [
    TaskFamily("category", "Pick the word that belongs to a kind.", difficulty: "choices", 2...8, form: .choice) { random, shape in
      let kinds = random.sample(shape.difficulty, of: WordLists.kinds)
      let words = kinds.map { random.element(of: $0.words) }
      let order = random.shuffled(Array(words.indices))
      let shown = order.map { words[$0] }
      let wrong = shown.filter { $0 != words[0] }
      return Problem(
        canonical: Symbols.row([kinds[0].name] + words.sorted()),
        symbols: .symbols("category", "\(kinds[0].name) : \(Symbols.row(shown))", words[0], distractors: wrong),
        words: .sequence("Which of these is \(kinds[0].article): \(Symbols.list(shown, "or"))?", words[0], distractors: wrong))
    },
    TaskFamily("opposite", "Pick the word that means the opposite.", difficulty: "choices", 2...8, form: .choice) { random, shape in
      let pairs = random.sample(shape.difficulty, of: WordLists.opposites)
      let flipped = random.coin()
      let (asked, answer) = flipped ? (pairs[0].1, pairs[0].0) : (pairs[0].0, pairs[0].1)
      let others = pairs.dropFirst().map { random.coin() ? $0.0 : $0.1 }
      let shown = random.shuffled([answer] + others)
      let wrong = shown.filter { $0 != answer }
      return Problem(
        canonical: Symbols.row([asked] + shown.sorted()),
        symbols: .symbols("opposite", "\(asked) : \(Symbols.row(shown))", answer, distractors: wrong),
        words: .sequence("Which word means the opposite of \(asked): \(Symbols.list(shown, "or"))?", answer, distractors: wrong))
    },
  ]
}

/// The words the knowledge families draw from; no word stands in two kinds.
enum WordLists {
  struct Kind: Sendable {
    let name: String
    let article: String
    let words: [String]
  }

  static let kinds: [Kind] = [
    kind("animal", "an animal", "dog cat horse cow lion tiger rabbit sheep wolf bear mouse elephant"),
    kind("color", "a color", "red blue green yellow purple brown black white pink gray"),
    kind("fruit", "a fruit", "apple banana grape peach cherry mango lemon pear melon strawberry"),
    kind("tool", "a tool", "hammer saw screwdriver wrench drill pliers chisel shovel axe rake"),
    kind("country", "a country", "France Japan Brazil Egypt Canada India Norway Kenya Spain Mexico"),
    kind("instrument", "a musical instrument", "piano guitar violin flute trumpet drum cello harp clarinet banjo"),
    kind("vehicle", "a vehicle", "car truck bicycle bus train airplane boat motorcycle tractor van"),
    kind("profession", "a profession", "teacher doctor lawyer farmer nurse carpenter baker plumber pilot dentist"),
    kind("clothing", "a piece of clothing", "shirt jacket hat sock glove scarf sweater skirt coat dress"),
    kind("furniture", "a piece of furniture", "chair table sofa bed desk wardrobe bookcase stool bench dresser"),
  ]

  static let opposites: [(String, String)] = [
    ("hot", "cold"), ("big", "small"), ("fast", "slow"), ("old", "new"), ("happy", "sad"), ("light", "dark"), ("high", "low"),
    ("rich", "poor"),
    ("strong", "weak"), ("early", "late"), ("full", "empty"), ("open", "closed"), ("wet", "dry"), ("clean", "dirty"), ("loud", "quiet"),
    ("easy", "difficult"), ("near", "far"), ("thick", "thin"), ("wide", "narrow"), ("win", "lose"), ("push", "pull"), ("buy", "sell"),
    ("begin", "end"), ("left", "right"), ("up", "down"), ("inside", "outside"), ("always", "never"), ("true", "false"), ("young", "aged"),
    ("sharp", "blunt"), ("brave", "cowardly"), ("love", "hate"),
  ]

  private static func kind(_ name: String, _ article: String, _ words: String) -> Kind {
    Kind(name: name, article: article, words: words.split(separator: " ").map(String.init))
  }
}
