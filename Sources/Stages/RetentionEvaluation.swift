import Datasets
import Evaluation
import JSONValues
import Kernels
import Modeling
import Reinforcement
import StageInterface
import Training

/// The suites that a training stage looks at while it trains: what it is for (`target`) and what must not be lost (`retention`).
struct RetentionEvaluation {
  private let parameters: EvaluationParameters
  let codec: TextCodec
  private let targets: [Suite]
  private let retained: [Suite]

  /// nil where nothing is to be evaluated.
  /// - Throws: for suites without `eval_steps` and the other way round, and for suites of one list whose scores cannot be averaged.
  init?(_ parameters: EvaluationParameters, _ context: StageContext, model: String) throws {
    self.parameters = parameters
    targets = try Self.suites("target", parameters, context)
    retained = try Self.suites("retention", parameters, context)
    guard !targets.isEmpty || !retained.isEmpty else {
      if parameters.evalSteps != nil { throw StageFailure("'eval_steps' needs a suite to evaluate: the input 'retention' or 'target'") }
      return nil
    }
    guard parameters.evalSteps != nil else {
      throw StageFailure("the input '\(retained.isEmpty ? "target" : "retention")' needs 'eval_steps', the steps between evaluations")
    }
    codec = try TokenizerDirectory(path: model).codec()
  }

  private static func suites(_ input: String, _ parameters: EvaluationParameters, _ context: StageContext) throws -> [Suite] {
    let suites = try context.inputs(input).map { element in
      var suite = try Suite(directory: element.path)
      if let limit = parameters.evalLimit { suite.records = Array(suite.records.prefix(limit)) }
      if let template = parameters.evalTemplate { suite.promptTemplate = template }
      return suite
    }
    if let first = suites.first, let other = suites.first(where: { $0.scoring.higherIsBetter != first.scoring.higherIsBetter }) {
      throw StageFailure(
        "the scores of '\(first.name)' and '\(other.name)' cannot be averaged: a higher score is better in one and worse in the other")
    }
    return suites
  }

  // MARK: - Overlap

  /// What is to be said of suites whose questions are trained on.
  func overlaps(_ tables: [TokenizedRecords]) throws -> [String] {
    let trained = TrainedQuestions(tables, codec)
    return try warnings { suite in try Overlap(suite, askedBy: encoder(suite), in: trained, near: nil) }
  }

  func overlaps(_ prompts: [AskedPrompt]) -> [String] {
    let trained = prompts.map { ComparableText(question: $0.record) }
    return warnings { suite in Overlap(heldout: suite.records.map { ComparableText(question: $0) }, train: trained, near: nil) }
  }

  private func warnings(_ overlap: (Suite) throws -> Overlap) rethrows -> [String] {
    try [(targets, "target"), (retained, "retention")].flatMap { suites, role in
      try suites.compactMap { suite in try overlap(suite).warning(suite: suite.name).map { "\(role): \($0)" } }
    }
  }

  private func encoder(_ suite: Suite) throws -> PromptEncoder {
    let layout = PromptFormat.Layout(rawValue: parameters.evalFormat) ?? .auto
    return PromptEncoder(
      codec, format: try PromptFormat(layout, system: parameters.evalSystem, template: suite.promptTemplate, delimiter: suite.delimiter))
  }

  // MARK: - Watching

  /// Watches a model that is trained; its matrices are packed anew for each look, for generation is slow over unpacked ones.
  func watch(_ context: StageContext, count: Int, _ weights: ModelWeights, _ pool: ThreadPool) -> RetentionWatch {
    var packed: Transformer?
    return watch(context, count: count) {
      if let packed {
        // What an adapter learns lies beside them.
        if weights.adapters.adapters.isEmpty { packed.weights.repack(pool) }
        return packed
      }
      let first = Transformer(ModelWeights.packed(weights.configuration, weights.arena, pool: pool).with(weights.adapters), pool: pool)
      packed = first
      return first
    }
  }

  /// - Parameters:
  ///   - count: floats that train.
  ///   - model: the model as it is now, packed.
  func watch(_ context: StageContext, count: Int, model: @escaping () throws -> Transformer) -> RetentionWatch {
    let rule = RetentionRule(
      every: parameters.evalSteps ?? 1, patience: parameters.earlyStoppingPatience, threshold: parameters.earlyStoppingThreshold)
    return RetentionWatch(
      rule: rule, count: count,
      evaluate: { _ in
        do { return try point(model(), context) } catch is StageInterrupted { return nil }
      },
      onPoint: { curve in
        guard let entry = curve.entries.last else { return }
        if let retention = entry.point.retention { context.metric(step: entry.step, "eval_retention", retention) }
        if let target = entry.point.target { context.metric(step: entry.step, "eval_target", target) }
        context.log("step \(entry.step): \(Self.text(entry.point))" + (curve.bestStep == entry.step ? " (best so far)" : ""))
      })
  }

  private static func text(_ point: RetentionPoint) -> String {
    point.scores.map { "\($0.suite) \(($0.score * 10000).rounded() / 10000)" }.joined(separator: ", ")
  }

  private func point(_ model: Transformer, _ context: StageContext) throws -> RetentionPoint {
    let engine = EngineModel(model, codec, endTokens: model.configuration.endTokens(codec), batchSize: parameters.perDeviceEvalBatchSize)
    var evaluator = Evaluator(engine, codec)
    evaluator.layout = PromptFormat.Layout(rawValue: parameters.evalFormat) ?? .auto
    evaluator.system = parameters.evalSystem
    evaluator.progress = { _, _ in if context.stopRequested { throw StageInterrupted() } }
    let targetScores = try targets.map { try (suite: $0.name, score: evaluator.evaluate($0).headline.estimate.value) }
    let retentionScores = try retained.map { try (suite: $0.name, score: evaluator.evaluate($0).headline.estimate.value) }
    return RetentionPoint(
      target: Self.mean(targetScores.map(\.score), targets), retention: Self.mean(retentionScores.map(\.score), retained),
      scores: targetScores + retentionScores)
  }

  /// Turned where lower is better.
  private static func mean(_ scores: [Double], _ suites: [Suite]) -> Double? {
    guard let first = suites.first else { return nil }
    let mean = scores.reduce(0, +) / Double(scores.count)
    return first.scoring.higherIsBetter ? mean : -mean
  }

  // MARK: - What came of it

  /// For the log artifact, where there were looks; says it in the stage's log as well.
  static func members(
    _ curve: RetentionCurve?, overlaps: [String], steps: Int, of total: Int, _ context: StageContext
  ) -> [(String, JSONValue)] {
    guard let curve else { return [] }
    var warnings = overlaps
    if steps < total { context.log("stopped after step \(steps) of \(total): retention stayed below its bound") }
    if let best = curve.bestStep {
      context.log("the weights handed over are those of step \(best)")
      if best == 0 {
        warnings.append("the best evaluation is the one before the first step: the model handed over is the input model")
        context.warn(warnings[warnings.count - 1])
      }
    }
    let found: [(String, JSONValue)] = [
      ("evaluations", curve.json), ("restored_step", curve.bestStep.map { .integer($0) } ?? .null), ("stopped_early", .bool(steps < total)),
    ]
    return found + (warnings.isEmpty ? [] : [("warnings", .array(warnings.map { .string($0) }))])
  }
}
