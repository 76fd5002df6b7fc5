import Artifacts
import JSONValues
import Planning
import StageInterface

/// What a run would do, and why: the judge's words without the doing.
package struct RecipePlan: Sendable {
  package struct Entry: Sendable {
    /// In the recipe's graph.
    package let index: Int
    package let instance: String
    package let stage: String
    /// Nil while inputs are unknown.
    package let key: String?
    /// `cached`, `run`, `resume` or `waits`.
    package let action: String
    package let reasons: [String]
    /// What the stage has to say before it runs.
    package let notes: [String]
    /// What it took when its result was made; nil where none is there.
    package let seconds: Double?
    /// Of what has to run: what it took before, or others of its stage; nil where nothing is known.
    package let expectedSeconds: Double?
  }

  package let entries: [Entry]

  /// Judges everything the targets need, in order. Nothing is written but the digests of sources, to spare the next look.
  ///
  /// - Parameter stages: the native stages, for what they have to say of instances that are to run.
  package static func make(
    _ recipe: Recipe, in storePath: String, options: RunOptions, stages: [StageRunner] = [], progress: TaskProgress.Style = .silent
  ) throws -> RecipePlan {
    let graph = recipe.graph
    let selection = try RunSelection(graph, options)
    let wanted = selection.isWanted
    let store = try Store(reading: storePath)
    SourceSurvey.look(graph, wanted, store, progress)
    let judge = Judge(graph: graph, store: store, variables: options.variables, reruns: selection.reruns)
    var judgements = try judgeAll(graph, wanted, judge)
    var history = ResultHistory(store: store)
    var entries: [Entry] = []
    var counts = RecordCounts(graph: graph, judge: judge)
    var expected = ExpectedDurations(store: store)
    for index in graph.instances.indices where wanted[index] {
      guard let judgement = judgements.removeValue(forKey: index) else { continue }
      entries.append(
        Entry(
          index: index, instance: graph.instances[index].name, stage: graph.instances[index].stage, key: judgement.key?.digest.text,
          action: judgement.actionName, reasons: try judge.reasons(judgement, &history),
          notes: notes(graph.instances[index], judgement, stages, &counts), seconds: seconds(judgement),
          expectedSeconds: judgement.actionName == "cached" ? nil : try expected.seconds(of: graph.instances[index], recipe: graph.recipe)))
    }
    if try store.files.exists(storePath) { store.sources.save() }
    return RecipePlan(entries: entries)
  }

  private static func seconds(_ judgement: Judgement) -> Double? {
    if case .cached(let summary) = judgement.action { summary.seconds } else { nil }
  }

  private static func notes(
    _ instance: StageInstance, _ judgement: Judgement, _ stages: [StageRunner], _ counts: inout RecordCounts
  ) -> [String] {
    guard case .native(let name) = instance.contract.run, let stage = stages.first(where: { $0.name == name }) else { return [] }
    if case .cached = judgement.action { return [] }
    return stage.notes(
      PlannedStage(
        parameters: instance.parameters,
        inputs: instance.inputs.map { input in
          PlannedStage.Input(name: input.declaration.name, records: input.elements.map { counts.count($0.source) })
        }))
  }

  /// In order; a cached instance whose bytes a later one turns out to need is judged again, as a run would.
  static func judgeAll(_ graph: InstanceGraph, _ wanted: [Bool], _ judge: Judge) throws(StoreError) -> [Int: Judgement] {
    var judgements: [Int: Judgement] = [:]
    for index in graph.instances.indices where wanted[index] {
      let judgement = try judge.judge(index)
      judgements[index] = judgement
      if case .cached(let summary) = judgement.action { judge.settle(index, summary) }
    }
    var missing = judgements.keys.sorted().flatMap { index -> [Int] in
      if case .needs(let dependencies)? = judgements[index]?.action { dependencies } else { [] }
    }
    while let index = missing.popLast() {
      guard case .cached? = judgements[index]?.action else { continue }
      let judgement = try judge.judge(index, .bytes)
      judgements[index] = judgement
      if case .needs(let dependencies) = judgement.action { missing += dependencies }
    }
    return judgements
  }

  /// As `plan --json` prints it: a list of instances. An instance whose stage has something to say has a member more, `notes`.
  package var json: JSONValue {
    .array(
      entries.map { entry in
        var object = JSONObject([
          ("instance", .string(entry.instance)), ("stage", .string(entry.stage)), ("key", entry.key.map(JSONValue.string) ?? .null),
          ("action", .string(entry.action)), ("reasons", .array(entry.reasons.map(JSONValue.string))),
        ])
        if let seconds = entry.expectedSeconds { object.append("expected_seconds", .number(seconds)) }
        if !entry.notes.isEmpty { object.append("notes", .array(entry.notes.map(JSONValue.string))) }
        return .object(object)
      })
  }

  /// As `plan` prints them below the instances: `note: forgetting: …`.
  package var noteLines: [String] { entries.flatMap { entry in entry.notes.map { "note: \(entry.instance): \($0)" } } }

  /// What the work is expected to take, by earlier runs; nil where nothing is known.
  package var outlookLine: String? {
    let open = entries.filter { $0.action != "cached" }
    let known = open.compactMap(\.expectedSeconds)
    guard !known.isEmpty else { return nil }
    let whole = known.count == open.count ? "" : ", and of \(open.count - known.count) nothing is known"
    return "by earlier runs, about \(ProgressText.roughDuration(known.reduce(0, +))) of computing\(whole)"
  }

  /// As `plan` prints it: a line an instance, `run     sft[2e-5]  learning_rate 1e-5 -> 2e-5; input …`.
  package var lines: [String] {
    let width = entries.reduce(0) { max($0, $1.instance.count) }
    return entries.map { entry in
      guard !entry.reasons.isEmpty else { return Self.line(entry.action, entry.instance) }
      return Self.line(entry.action, Self.pad(entry.instance, width)) + "  " + ReasonText.shortened(entry.reasons, to: 12)
    }
  }

  static func line(_ action: String, _ instance: String) -> String { pad(action, 7) + " " + instance }

  private static func pad(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }

  package func count(_ action: String) -> Int { entries.count { $0.action == action } }
}
