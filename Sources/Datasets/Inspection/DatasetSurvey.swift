import JSONValues

/// What can be seen of datasets without a model: duplicates, held-out questions in them, answers and lengths.
package struct DatasetSurvey: Sendable {
  /// One dataset or suite: its records, and what to call it.
  package struct Source: Sendable {
    package let name: String
    package let records: [Record]

    package init(_ name: String, _ records: [Record]) { (self.name, self.records) = (name, records) }
  }

  package struct Leakage: Sendable {
    package let source: Source
    package let overlap: Overlap
  }

  package let sources: [Source]
  package let records: [Record]
  /// Where each record stands: "sort:3", source and record, counted from 1.
  package let places: [String]
  package let duplicates: DuplicateSurvey
  package let leakage: [Leakage]
  package let answers: AnswerSurvey
  package let prompts: LengthSummary
  package let completions: LengthSummary
  /// In tokens; nil without a tokenizer.
  package let promptTokens: LengthSummary?
  package let completionTokens: LengthSummary?
  package let near: NearIndex.Settings

  /// - Parameter tokens: how many tokens a text has.
  package init(_ sources: [Source], heldout: [Source], near: NearIndex.Settings, tokens: ((String) -> Int)?) throws(DatasetError) {
    records = sources.flatMap(\.records)
    guard !records.isEmpty else { throw DatasetError("there are no records to look at") }
    self.sources = sources
    self.near = near
    places = sources.flatMap { source in source.records.indices.map { "\(source.name):\($0 + 1)" } }
    let questions = records.map { ComparableText(question: $0) }
    duplicates = DuplicateSurvey(records, questions, near: near)
    // All suites at once: the training data are cut into shingles once.
    let overlap = Overlap(heldout: heldout.flatMap { $0.records.map { ComparableText(question: $0) } }, train: questions, near: near)
    var start = 0
    leakage = heldout.map { source in
      defer { start += source.records.count }
      return Leakage(source: source, overlap: overlap.part(start..<start + source.records.count))
    }
    answers = AnswerSurvey(records)
    let asked = records.compactMap { $0.prompt?.plainText }
    let said = records.compactMap { $0.said }
    prompts = LengthSummary(asked.map(\.unicodeScalars.count))
    completions = LengthSummary(said.map(\.unicodeScalars.count))
    promptTokens = tokens.map { LengthSummary(asked.map($0)) }
    completionTokens = tokens.map { LengthSummary(said.map($0)) }
  }
}

extension Record {
  /// What a model is to say: the completion, or else the first answer; the whole of plain text.
  fileprivate var said: String? {
    if case .text(let text) = content { return text }
    return completion?.plainText ?? answers.first
  }
}

extension DatasetSurvey {
  /// - Parameter examples: at most so many of each kind.
  package func json(examples: Int) -> JSONValue {
    var object = JSONObject([
      ("records", .integer(records.count)),
      (
        "sources",
        .array(sources.map { .object(JSONObject([("source", .string($0.name)), ("records", .integer($0.records.count))])) })
      ), ("near", nearJSON), ("duplicates", duplicatesJSON(examples)),
    ])
    let all = leakage.map(\.overlap)
    var total = JSONObject([
      ("questions", .integer(all.reduce(0) { $0 + $1.count })), ("found", .integer(all.reduce(0) { $0 + $1.matches.count })),
    ])
    for kind in Overlap.Kind.allCases { total.append(kind.rawValue, .integer(all.reduce(0) { $0 + $1.count(kind) })) }
    total.append("suites", .array(leakage.map { json($0, examples) }))
    object.append("leakage", .object(total))
    object.append("answers", answersJSON(examples))
    var lengths = JSONObject([("prompt_characters", prompts.json), ("completion_characters", completions.json)])
    if let promptTokens, let completionTokens {
      lengths.append("prompt_tokens", promptTokens.json)
      lengths.append("completion_tokens", completionTokens.json)
    }
    object.append("lengths", .object(lengths))
    return .object(object)
  }

  private var nearJSON: JSONValue {
    .object(
      JSONObject([
        ("threshold", .number(near.threshold)), ("shingle", .string(near.form.unit.rawValue)), ("shingle_size", .integer(near.form.size)),
        ("permutations", .integer(near.permutations)), ("bands", .integer(near.bands)), ("rows", .integer(near.rows)),
        ("recall_at_threshold", .number(near.recall)),
      ]))
  }

  private func duplicatesJSON(_ examples: Int) -> JSONValue {
    var object = JSONObject()
    for kind in DuplicateSurvey.Kind.allCases { object.append(kind.rawValue, .integer(duplicates.count(kind))) }
    let shown = DuplicateSurvey.Kind.allCases.flatMap { kind in duplicates.matches.filter { $0.kind == kind }.prefix(examples) }
    object.append(
      "examples",
      .array(
        shown.map { match in
          .object(
            JSONObject([
              ("kind", .string(match.kind.rawValue)), ("record", .string(places[match.record])),
              ("earlier", .string(places[match.earlier])), ("similarity", .number(match.similarity)),
            ]))
        }))
    return .object(object)
  }

  private func json(_ leakage: Leakage, _ examples: Int) -> JSONValue {
    let overlap = leakage.overlap
    var object = JSONObject([
      ("suite", .string(leakage.source.name)), ("questions", .integer(overlap.count)), ("found", .integer(overlap.matches.count)),
    ])
    for kind in Overlap.Kind.allCases { object.append(kind.rawValue, .integer(overlap.count(kind))) }
    let shown = Overlap.Kind.allCases.flatMap { kind in overlap.matches.filter { $0.kind == kind }.prefix(examples) }
    object.append(
      "examples",
      .array(
        shown.map { match in
          .object(
            JSONObject([
              ("kind", .string(match.kind.rawValue)), ("heldout", .string("\(leakage.source.name):\(match.heldout + 1)")),
              ("record", .string(places[match.train])), ("similarity", .number(match.similarity)),
            ]))
        }))
    return .object(object)
  }

  private func answersJSON(_ examples: Int) -> JSONValue {
    .object(
      JSONObject([
        ("records", .integer(answers.count)), ("missing", .integer(answers.missing)), ("distinct", .integer(answers.answers.count)),
        ("most_frequent_share", answers.mostFrequentShare.map { .number($0) } ?? .null),
        (
          "most_frequent",
          .array(
            answers.answers.prefix(examples).map { answer in
              .object(JSONObject([("answer", .string(answer.text)), ("records", .integer(answer.records))]))
            })
        ),
      ]))
  }
}
