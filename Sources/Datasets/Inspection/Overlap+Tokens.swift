extension Overlap {
  /// A suite's questions among those that tables of tokens train on: as the record has them, and as `encoder` asks them, which finds the
  /// most when it asks as the tables were made, by format, system turn and template.
  ///
  /// - Throws: for a question that cannot be asked, with its place in the suite.
  package init(
    _ suite: Suite, askedBy encoder: PromptEncoder, in trained: TrainedQuestions, near: NearIndex.Settings? = .init()
  ) throws(DatasetError) {
    var asked: [[Int32]] = []
    for (index, record) in suite.records.enumerated() {
      do throws(DatasetError) {
        if case .text(let text) = record.content {
          asked.append(encoder.codec.encode(text))
        } else {
          asked.append(try encoder.encode(record, newTokens: 0, contextLength: .max).ids)
        }
      } catch { throw error.located(file: Suite.recordsName, line: index + 1) }
    }
    let beginnings = Self.beginnings(asked, trained)
    let texts = trained.texts.map(\.text)
    let looks = [
      Overlap(heldout: asked.map { ComparableText(encoder.codec.decode($0)) }, train: texts, near: near),
      Overlap(heldout: suite.records.map { ComparableText(question: $0) }, train: texts, near: near),
    ]
    var found: [Int: Match] = [:]
    for match in looks.flatMap(\.matches) {
      let match = Match(
        heldout: match.heldout, train: trained.texts[match.train].record, kind: match.kind, similarity: match.similarity)
      if match.similarity > found[match.heldout]?.similarity ?? 0 { found[match.heldout] = match }
    }
    self.init(
      asked.indices.compactMap { index in
        beginnings[asked[index]].map { Match(heldout: index, train: $0, kind: .exact, similarity: 1) } ?? found[index]
      }, of: asked.count)
  }

  /// The first record that begins with each question.
  private static func beginnings(_ questions: [[Int32]], _ trained: TrainedQuestions) -> [[Int32]: Int] {
    let wanted = Set(questions)
    let lengths = Set(questions.map(\.count)).subtracting([0])
    var found: [[Int32]: Int] = [:]
    for (ids, record) in trained.whole {
      for length in lengths where length <= ids.count {
        let beginning = Array(ids.prefix(length))
        if wanted.contains(beginning), found[beginning] == nil { found[beginning] = record }
      }
    }
    return found
  }
}
