import Datasets
import Evaluation
import Plotting

/// An inspection of data for people: what to look at first, then the tables.
struct InspectionText {
  let survey: DatasetSurvey
  let contradictions: ContradictionSurvey?
  let title: String
  let examples: Int

  init(_ survey: DatasetSurvey, _ contradictions: ContradictionSurvey?, title: String, examples: Int) {
    (self.survey, self.contradictions, self.title, self.examples) = (survey, contradictions, title, examples)
  }

  var text: String {
    let names = survey.sources.map { "\($0.name) (\($0.records.count))" }.joined(separator: ", ")
    var parts = ["## \(title)", "\(survey.records.count) records: \(names)."]
    parts += survey.leakage.compactMap { leakage in leakage.overlap.warning(suite: leakage.source.name).map { "**Leakage**: \($0)." } }
    parts.append("### Duplicates\n\n\(duplicates.text)")
    if !survey.leakage.isEmpty { parts.append("### Held-out questions in the data\n\n\(leakage.text)") }
    parts.append(nearNote)
    parts.append("### Answers\n\n\(answerLine)\n\n\(answers.text)")
    parts.append("### Lengths\n\n\(lengths.text)")
    if let contradictions {
      parts.append("### Against what the model is sure of\n\n\(line(contradictions))")
      if !contradictions.findings.isEmpty { parts.append(table(contradictions).text) }
    }
    return parts.joined(separator: "\n\n").replacing("\n\n\n", with: "\n\n") + "\n"
  }

  // MARK: - Duplicates and leakage

  private static let meanings: [DuplicateSurvey.Kind: String] = [
    .exact: "same question, same target", .conflicting: "same question, another target", .normalized: "same words as an earlier question",
    .near: "nearly an earlier question",
  ]

  private var duplicates: MarkdownTable {
    var table = MarkdownTable([.init("kind", .left), .init("meaning", .left), .init("records"), .init("share"), .init("examples", .left)])
    for kind in DuplicateSurvey.Kind.allCases {
      let matches = survey.duplicates.matches.filter { $0.kind == kind }
      let shown = matches.prefix(examples).map { match in
        "\(survey.places[match.record]) = \(survey.places[match.earlier])"
          + (kind == .near ? " (\(FixedDigits.text(match.similarity, 2)))" : "")
      }
      table.add([
        kind.rawValue, Self.meanings[kind] ?? "", String(matches.count), Self.percent(matches.count, of: survey.records.count),
        shown.joined(separator: ", "),
      ])
    }
    return table
  }

  private var leakage: MarkdownTable {
    var table = MarkdownTable(
      [.init("suite", .left), .init("questions")] + Overlap.Kind.allCases.map { .init($0.rawValue) } + [
        .init("share"), .init("examples", .left),
      ])
    for leakage in survey.leakage {
      let overlap = leakage.overlap
      let shown = overlap.matches.prefix(examples).map { "\(leakage.source.name):\($0.heldout + 1) = \(survey.places[$0.train])" }
      table.add(
        [leakage.source.name, String(overlap.count)] + Overlap.Kind.allCases.map { String(overlap.count($0)) }
          + [Self.percent(overlap.matches.count, of: overlap.count), shown.joined(separator: ", ")])
    }
    return table
  }

  private var nearNote: String {
    let near = survey.near
    return
      "Near: at least \(FixedDigits.text(near.threshold, 2)) Jaccard similarity of runs of \(near.form.size) \(near.form.unit.rawValue)s of the "
      + "question; at that similarity \(FixedDigits.text(near.recall * 100, 1)) % of such pairs are found, and more similar ones more surely. "
      + "A record is counted once, and is named by its source and its place there."
  }

  // MARK: - Answers and lengths

  private var answerLine: String {
    let survey = survey.answers
    let share = survey.mostFrequentShare.map { "; the most frequent one is right \(FixedDigits.text($0 * 100, 1)) % of the time" } ?? ""
    return "\(survey.count) records have an answer, \(survey.missing) have none. \(survey.answers.count) answers differ\(share)."
  }

  private var answers: MarkdownTable {
    var table = MarkdownTable([.init("answer", .left), .init("records"), .init("share")])
    for answer in survey.answers.answers.prefix(examples) {
      table.add([Self.shortened(answer.text), String(answer.records), Self.percent(answer.records, of: survey.answers.count)])
    }
    return table
  }

  private var lengths: MarkdownTable {
    var table = MarkdownTable(
      [.init("length of", .left), .init("records"), .init("min"), .init("mean")] + LengthSummary.shares.map { .init("p\($0)") } + [
        .init("max")
      ])
    let rows = [
      ("prompts, characters", survey.prompts), ("completions, characters", survey.completions), ("prompts, tokens", survey.promptTokens),
      ("completions, tokens", survey.completionTokens),
    ]
    for case (let name, let summary?) in rows {
      table.add(
        [name, String(summary.lengths.count), String(summary.lengths.first ?? 0), FixedDigits.text(summary.mean, 1)]
          + LengthSummary.shares.map { String(summary.percentile(Double($0) / 100)) } + [String(summary.lengths.last ?? 0)])
    }
    return table
  }

  // MARK: - Contradictions

  private func line(_ found: ContradictionSurvey) -> String {
    let (sure, unlikely) = (FixedDigits.text(found.bounds.sure, 2), FixedDigits.text(found.bounds.unlikely, 2))
    return
      "\(found.asked) records were asked, \(found.unjudged) could not be. The model is right on \(found.right), sure of its answer (\(sure) or more "
      + "a token) on \(found.sure), finds the target unlikely (under \(unlikely) a token) on \(found.unlikely). "
      + "**\(found.findings.count) contradict** what it is sure of: the target is unlikely, and a whole answer that it is sure of is judged wrong."
  }

  private func table(_ found: ContradictionSurvey) -> MarkdownTable {
    var table = MarkdownTable([
      .init("record", .left), .init("model's answer", .left), .init("probability"), .init("target", .left), .init("probability"),
    ])
    for finding in found.findings.prefix(examples) {
      table.add([
        survey.places[finding.record], Self.shortened(finding.answer), FixedDigits.text(finding.answerProbability, 3),
        Self.shortened(finding.target), FixedDigits.text(finding.targetProbability, 3),
      ])
    }
    return table
  }

  // MARK: - Words

  private static func percent(_ count: Int, of total: Int) -> String {
    total == 0 ? "" : FixedDigits.text(Double(count) / Double(total) * 100, 1) + " %"
  }

  private static func shortened(_ text: String) -> String {
    let plain = text.withoutOuterSpace
    return plain.count <= 60 ? plain : plain.prefix(57) + "..."
  }
}
