import Datasets
import JSONValues
import Testing
import Tokenization

@Suite("Inspection of data") struct InspectionTests {
  private func record(_ prompt: String, _ completion: String, answers: [String] = []) -> Record {
    Record(.prompted(.text(prompt), completion: .text(completion)), answers: answers)
  }

  @Test("normalized texts: case, spaces, sentence marks and composition are put aside, signs are not")
  func normalized() {
    #expect(ComparableText("  What is\t3 + 4 ?\n").normalized == "what is 3 + 4")
    #expect(ComparableText("What is 3 - 4?").normalized != ComparableText("What is 3 + 4?").normalized)
    #expect(ComparableText("3.5").normalized != ComparableText("35").normalized)
    #expect(ComparableText("CAFE\u{301}").normalized.utf8.elementsEqual("caf\u{E9}".utf8))
    #expect(ComparableText("?!").normalized == "?!")
    #expect(ComparableText("").words == [""])
  }

  @Test("similarity is Jaccard's, of the runs of words or characters")
  func similarity() {
    func shingles(_ text: String, _ unit: Shingles.Unit, _ size: Int) -> Shingles {
      Shingles(ComparableText(text), .init(unit, size: size))
    }
    // {a b, b c, c d} and {a b, b c, c e}: 2 of 4.
    #expect(shingles("a b c d", .word, 2).similarity(to: shingles("a b c e", .word, 2)) == 0.5)
    #expect(shingles("abcd", .character, 2).similarity(to: shingles("abce", .character, 2)) == 0.5)
    #expect(shingles("a b", .word, 5).similarity(to: shingles("A  b.", .word, 5)) == 1)
    #expect(shingles("a b", .word, 5).similarity(to: shingles("b a", .word, 5)) == 0)
    #expect(shingles("a a a a a a", .word, 2).hashes.count == 1)
  }

  /// Texts of 60 words, of which each copy has one more changed.
  private func texts() -> [ComparableText] {
    var random = CounterRandom(seed: 3, "inspection")
    return (0..<40).flatMap { text -> [ComparableText] in
      var words = (0..<60).map { _ in "w\(random.below(5000))" }
      return (0..<6).map { copy in
        if copy > 0 { words[copy * 9] = "changed\(text)x\(copy)" }
        return ComparableText(words.joined(separator: " "))
      }
    }
  }

  @Test("what the index finds is what comparing all pairs finds: nothing that is not near, and of what is near almost everything")
  func recall() {
    let settings = NearIndex.Settings(threshold: 0.6, form: .init(.word, size: 3), permutations: 128)
    #expect(settings.recall >= 0.95 && settings.bands * settings.rows <= 128)
    let shingles = texts().map { Shingles($0, settings.form) }
    var index = NearIndex(settings)
    var (near, found) = (0, 0)
    for (place, text) in shingles.enumerated() {
      let wanted = (0..<place).filter { shingles[$0].similarity(to: text) >= 0.6 }
      let matches = index.near(to: text)
      #expect(matches.allSatisfy { wanted.contains($0.place) && $0.similarity == shingles[$0.place].similarity(to: text) })
      near += wanted.count
      found += matches.count
      index.add(text)
    }
    #expect(near > 200)
    #expect(Double(found) >= 0.97 * Double(near), "\(found) of \(near)")
  }

  @Test("duplicates are counted by kind, each record once, against the first of its like")
  func duplicates() {
    let long = "the quick brown fox jumps over the lazy dog while the cat looks on from the warm window sill"
    let records = [
      record("one", "1"), record("two", "2"), record("one", "1"), record("one", "uno"), record("one", "uno"), record("One!", "1"),
      record(long, "a"), record(long.replacing("cat", with: "cow"), "b"), record("three", "3"),
    ]
    let survey = DuplicateSurvey(
      records, records.map { ComparableText(question: $0) }, near: .init(threshold: 0.5, form: .init(.word, size: 3), permutations: 128))
    #expect(survey.matches.map(\.record) == [2, 3, 4, 5, 7])
    #expect(survey.matches.map(\.kind) == [.exact, .conflicting, .exact, .normalized, .near])
    #expect(survey.matches.map(\.earlier) == [0, 0, 3, 0, 6])
    // 17 runs each of 19 words, 3 of them with the changed word: 14 of 20.
    #expect(survey.matches[4].similarity == 14.0 / 20)
  }

  @Test("held-out questions are found exact, normalized and near, the suite is named, and what is not there is not")
  func overlap() {
    let long = "a train leaves the station at nine in the morning and travels at sixty miles an hour for two hours how far"
    let train = ["one plus one", long, "unrelated words stand here"].map { ComparableText($0) }
    let heldout = ["One plus one.", "one plus one", long + " exactly", "something else"].map { ComparableText($0) }
    let overlap = Overlap(heldout: heldout, train: train)
    #expect(overlap.matches.map(\.kind) == [.normalized, .exact, .near])
    #expect(overlap.matches.map(\.train) == [0, 0, 1])
    #expect(overlap.matches.map(\.heldout) == [0, 1, 2])
    #expect(overlap.warning(suite: "sums") == "3 of 4 questions of suite 'sums' stand in the training data: 1 exact, 1 normalized, 1 near")
    #expect(Overlap(heldout: [heldout[3]], train: train).warning(suite: "sums") == nil)
    #expect(Overlap(heldout: heldout, train: train, near: nil).matches.count == 2)
    #expect(Overlap(heldout: [], train: train).matches.isEmpty && Overlap(heldout: heldout, train: []).matches.isEmpty)
  }

  @Test("a suite's questions are found in tables of tokens, also where prompts are trained")
  func tokens() throws {
    // A token a byte.
    let codec = TextCodec(
      encode: { $0.utf8.map { Int32($0) } }, decode: { String(decoding: $0.map { UInt8($0) }, as: UTF8.self) }, beginning: nil, end: 0)
    let format = try PromptFormat(.plain)
    let records = [record("What is two?", " 2"), record("What is three?", " 3")]
    let suite = Suite(
      name: "kept", scoring: .generation(.exact(.init()), maxNewTokens: 4, stop: []),
      records: [record("what is TWO", " 2"), record("What is three?", " 3"), record("What is four?", " 4"), record("What is t", " 5")])
    func overlap(completionOnly: Bool) throws -> Overlap {
      let encoder = RecordEncoder(codec, format: format, completionOnlyLoss: completionOnly)
      var table = TokenizedRecords()
      for record in records {
        let encoded = try encoder.encode(record)
        table.append(ids: encoded.ids, trained: encoded.trained)
      }
      return try Overlap(suite, askedBy: PromptEncoder(codec, format: format), in: TrainedQuestions([table], codec))
    }
    let known = try overlap(completionOnly: true)
    #expect(known.matches.map(\.heldout) == [0, 1] && known.matches.map(\.kind) == [.normalized, .exact])
    #expect(known.matches.map(\.train) == [0, 1] && known.count == 4)
    // Nothing says where a trained prompt ends, so what it begins with is found too.
    #expect(try overlap(completionOnly: false).matches.map(\.heldout) == [1, 3])
  }

  @Test("answers by frequency, and lengths of characters and tokens")
  func statistics() throws {
    let records = [
      record("ab", " x"), record("abc", "x "), record("abcd", " y", answers: ["y"]), Record(.text("plain")),
      Record(.prompted(.text("q"), completion: nil), choices: ["1", "2"], gold: 1),
    ]
    let survey = try DatasetSurvey([.init("s", records)], heldout: [], near: .init()) { $0.utf8.count * 2 }
    #expect(survey.answers.answers.map(\.text) == ["x", "y", "B"] && survey.answers.answers.map(\.records) == [2, 1, 1])
    #expect(survey.answers.missing == 1 && survey.answers.mostFrequentShare == 0.5)
    #expect(survey.prompts.lengths == [1, 2, 3, 4] && survey.completions.lengths == [2, 2, 2, 5])
    #expect(survey.promptTokens?.lengths == [2, 4, 6, 8])
    #expect(survey.places == ["s:1", "s:2", "s:3", "s:4", "s:5"])
    let json = survey.json(examples: 1)
    #expect(json["answers"]?["most_frequent"] == [["answer": "x", "records": 2]])
    #expect(json["lengths"]?["prompt_characters"]?["max"] == 4 && json["leakage"]?["found"] == 0)
    #expect(throws: DatasetError.self) { try DatasetSurvey([], heldout: [], near: .init(), tokens: nil) }
  }

  @Test("a rewritten record keeps its form, its leading space, and what was right")
  func rewritten() {
    let plain = record("Q:", " old").rewritten("  new words \n")
    #expect(plain.completion == .text(" new words") && plain.answers == [" old"])
    let chat = Record(
      .conversation([ChatMessage(role: "user", content: "Q"), ChatMessage(role: "assistant", content: "old")]), answers: ["a"])
    #expect(chat.rewritten("new").content == .conversation([.init(role: "user", content: "Q"), .init(role: "assistant", content: "new")]))
    #expect(chat.rewritten("new").answers == ["a"])
    let asked = record("Q:", " old ", answers: ["right"]).askedAnew
    #expect(asked.extras["completion"] == "old" && asked.extras["answer"] == "right")
  }
}
