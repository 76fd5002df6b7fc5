extension Overlap {
  /// A suite's questions in tables of tokens, where training has nothing else. Both sides are compared as the model reads them: `encoder` asks the
  /// suite as the tables were made, by format, system turn and template.
  ///
  /// Where a table trains the prompts as well, nothing says where a prompt ends: only records that begin with a question's tokens are found there.
  ///
  /// - Throws: for a question that cannot be asked, with its place in the suite.
  package init(
    _ suite: Suite, askedBy encoder: PromptEncoder, in tables: [TokenizedRecords], near: NearIndex.Settings? = .init()
  ) throws(DatasetError) {
    var questions: [[Int32]] = []
    for (index, record) in suite.records.enumerated() {
      do throws(DatasetError) {
        questions.append(try encoder.encode(record, newTokens: 0, contextLength: .max).ids)
      } catch { throw error.located(file: Suite.recordsName, line: index + 1) }
    }
    var prompts: [[Int32]] = []
    var known: [Int: Int] = [:]
    let lengths = Set(questions.map(\.count))
    let places = Dictionary(questions.enumerated().map { ($1, $0) }) { first, _ in first }
    for table in tables {
      for record in 0..<table.count {
        let ids = Array(table.ids[table.range(record)])
        let start = table.trained[table.range(record)].firstIndex { $0 != 0 }.map { $0 - table.range(record).lowerBound } ?? ids.count
        if start <= 1 {
          for length in lengths where length <= ids.count {
            if let place = places[Array(ids.prefix(length))], known[place] == nil { known[place] = prompts.count }
          }
        }
        prompts.append(Array(ids.prefix(start)))
      }
    }
    let decode = encoder.codec.decode
    let texts = Overlap(
      heldout: questions.map { ComparableText(decode($0)) }, train: prompts.map { ComparableText(decode($0)) }, near: near)
    let found = Dictionary(uniqueKeysWithValues: texts.matches.map { ($0.heldout, $0) })
    self.init(
      questions.indices.compactMap { index in
        let whole = known[places[questions[index]] ?? index].map { Match(heldout: index, train: $0, kind: .exact, similarity: 1) }
        return whole ?? found[index]
      }, of: questions.count)
  }
}
