import JSONValues

/// What models answered to the records of a suite, beside each other.
///
/// Of a run with many models those are shown that others come from and that no other comes from: the bases, and where the sequences end.
package struct SampleSet: Sendable {
  /// One evaluation.
  package struct Model: Sendable {
    /// The `evaluate` instance, and the one that made the model, where that is of this run.
    package let instance: String
    package let model: String?
    /// No model of this run is behind it.
    package let isBase: Bool
    package let right: Int
    package let of: Int
  }

  package struct Answer: Sendable, Equatable {
    package let text: String
    /// What the scorer took for the answer, where that is not the whole of it.
    package let extracted: String?
    package let isRight: Bool
    /// Whether it came to its own end.
    package let isComplete: Bool
  }

  package struct Row: Sendable {
    /// The record's place in the suite, from 0.
    package let record: Int
    package let prompt: String
    package let expected: [String]
    /// In the order of `models`; nil where a model was not asked it.
    package let answers: [Answer?]
  }

  package let suite: String
  /// The digest that the models were asked.
  package let digest: String
  package let models: [Model]
  /// Models that were evaluated on the suite and are not among `models`.
  package let omitted: Int
  /// The records that most models got wrong first.
  package let rows: [Row]
  /// How many records there are; `rows` holds at most `most` of them.
  package let records: Int

  package static let most = 200
  /// Models side by side.
  static let mostModels = 12
}

// MARK: - From records

extension SampleSet {
  static func all(_ records: inout RunRecords, _ rows: [InstanceRow], _ lineages: [Lineage]) -> [SampleSet] {
    var suites: [(digest: String, name: String, asked: [Int])] = []
    for index in records.instances(of: "evaluate") + records.instances(of: "score") {
      guard records.output(index, "samples") != nil, let digest = records.inputDigests(index, "suite").first else { continue }
      if let known = suites.firstIndex(where: { $0.digest == digest }) {
        suites[known].asked.append(index)
      } else {
        suites.append((digest, suiteName(index, rows), [index]))
      }
    }
    return suites.compactMap { set($0.digest, $0.name, $0.asked.sorted(), &records, rows, lineages) }
  }

  /// The axis that names the suite, else the instance that made it.
  private static func suiteName(_ index: Int, _ rows: [InstanceRow]) -> String {
    let axes = rows[index].path.axes
    if let axis = axes.last(where: { $0.axis == "suite" }) {
      if let name = axis.value["name"]?.stringValue ?? axis.value.stringValue { return name }
    }
    let source = rows[index].inputs.first { $0.name == "suite" }?.elements.first?.from
    return source.map { rows[$0].name } ?? rows[index].name
  }

  private static func set(
    _ digest: String, _ name: String, _ asked: [Int], _ records: inout RunRecords, _ rows: [InstanceRow], _ lineages: [Lineage]
  ) -> SampleSet? {
    let makers = asked.map { index in rows[index].inputs.first { $0.name == "model" }?.elements.first?.from }
    let ways = Dictionary(lineages.map { ($0.instance, $0.models) }, uniquingKeysWith: { first, _ in first })
    var shown = ends(makers, ways)
    if shown.isEmpty { shown = Array(asked.indices) }
    var models: [Model] = []
    var columns: [[Int: JSONValue]] = []
    var all: Set<Int> = []
    for place in shown where models.count < mostModels {
      guard let lines = records.rows(asked[place], "samples") else { continue }
      var column: [Int: JSONValue] = [:]
      for line in lines {
        if let id = line["doc_id"]?.integerValue, line["completion"] != nil || line["choices"] != nil { column[id] = line }
      }
      guard !column.isEmpty else { continue }
      all.formUnion(column.keys)
      let maker = makers[place]
      let isBase = maker.map { ways[$0]?.isEmpty ?? true } ?? true
      models.append(
        Model(
          instance: records.name(asked[place]), model: maker.map { rows[$0].name }, isBase: isBase,
          right: column.values.count { Answer($0)?.isRight == true }, of: column.count))
      columns.append(column)
    }
    guard !models.isEmpty else { return nil }
    let ordered = all.sorted().compactMap { row($0, columns) }.enumerated().sorted { left, right in
      (-left.element.wrong, left.offset) < (-right.element.wrong, right.offset)
    }
    return SampleSet(
      suite: name, digest: digest, models: models, omitted: asked.count - models.count, rows: ordered.prefix(most).map(\.element),
      records: all.count)
  }

  /// Places of the models that no other of them lies before, or none after.
  private static func ends(_ makers: [Int?], _ ways: [Int: [Int]]) -> [Int] {
    let evaluated = Set(makers.compactMap { $0 })
    let passed = Set(evaluated.flatMap { ways[$0] ?? [] })
    return makers.indices.filter { place in
      guard let maker = makers[place], passed.contains(maker) else { return true }
      return evaluated.isDisjoint(with: ways[maker] ?? [])
    }
  }

  private static func row(_ id: Int, _ columns: [[Int: JSONValue]]) -> Row? {
    guard let first = columns.compactMap({ $0[id] }).first else { return nil }
    return Row(
      record: id, prompt: first["prompt"]?.stringValue ?? "", expected: expected(first),
      answers: columns.map { $0[id].flatMap(Answer.init) })
  }

  private static func expected(_ line: JSONValue) -> [String] {
    guard let target = line["target"] else { return [] }
    if let place = target.integerValue, let choices = line["choices"]?.strings {
      return choices.indices.contains(place) ? [choices[place]] : []
    }
    return target.stringValue.map { [$0] } ?? target.strings
  }
}

extension SampleSet.Row {
  fileprivate var wrong: Int { answers.count { $0?.isRight == false } }
}

extension SampleSet.Answer {
  /// A line of `samples`; what is told apart is right and wrong, so text that is only measured has none.
  fileprivate init?(_ line: JSONValue) {
    if let completion = line["completion"]?.stringValue {
      text = completion
      extracted = line["extracted"]?.stringValue
      isComplete = line["complete"]?.boolValue ?? true
      isRight = line["exact_match"]?.numberValue == 1
    } else if let choices = line["choices"]?.strings, let likelihoods = line["log_likelihoods"]?.numbers,
      choices.count == likelihoods.count,
      let best = likelihoods.indices.max(by: { likelihoods[$0] ?? -.infinity < likelihoods[$1] ?? -.infinity })
    {
      text = choices[best]
      extracted = nil
      isComplete = true
      isRight = (line["acc"]?.numberValue ?? (line["target"]?.integerValue == best ? 1 : 0)) == 1
    } else {
      return nil
    }
  }

  fileprivate var json: JSONValue {
    var object = JSONObject([("text", .string(text)), ("right", .bool(isRight)), ("complete", .bool(isComplete))])
    if let extracted { object.append("extracted", .string(extracted)) }
    return .object(object)
  }
}

extension SampleSet {
  package var json: JSONValue {
    [
      "suite": .string(suite), "digest": .string(digest), "records": .integer(records), "omitted_models": .integer(omitted),
      "models": .array(
        models.map {
          [
            "instance": .string($0.instance), "model": $0.model.json, "base": .bool($0.isBase), "right": .integer($0.right),
            "of": .integer($0.of),
          ]
        }),
      "rows": .array(
        rows.map { row in
          [
            "record": .integer(row.record), "prompt": .string(row.prompt), "expected": .array(row.expected.map { .string($0) }),
            "answers": .array(row.answers.map { $0?.json ?? .null }),
          ]
        }),
    ]
  }
}
