import Datasets
import Evaluation
import Foundation
import JSONValues
import Kernels
import Modeling
import Reinforcement
import Testing
import Training

/// What one step on given rollouts does to a model, as torch has it (`scripts/goldens/policy-step.py`).
private struct PolicyStepGolden: Decodable {
  struct Optimizer: Decodable {
    let learningRate: Double
    let adamBeta1: Double
    let adamBeta2: Double
    let adamEpsilon: Double
    let weightDecay: Double
    let maxGradNorm: Double
  }

  struct Case: Decodable {
    let numIterations: Int?
    let dropZeroVariance: Bool?
    let maskTruncatedCompletions: Bool?
    let gradNorm: Double
    let entries: [[Double]]
  }

  let optimizer: Optimizer
  let referenceScale: Double
  let tensors: [String]
  let cases: [Case]
  /// The same cases, as the loss's golden has them.
  let policies: [PolicyGolden.Case]

  init(from decoder: any Decoder) throws {
    enum Key: CodingKey { case optimizer, referenceScale, tensors, cases }
    let values = try decoder.container(keyedBy: Key.self)
    optimizer = try values.decode(Optimizer.self, forKey: .optimizer)
    referenceScale = try values.decode(Double.self, forKey: .referenceScale)
    tensors = try values.decode([String].self, forKey: .tensors)
    cases = try values.decode([Case].self, forKey: .cases)
    policies = try values.decode([PolicyGolden.Case].self, forKey: .cases)
  }

  static func load() throws -> PolicyStepGolden {
    let bytes = try PositionedFile.contents(of: PolicyGolden.tests + "ReinforcementTests/Fixtures/policy-step.json")
    return try JSONValue(parsing: bytes).decode(keys: .snakeCase)
  }
}

@Suite("A whole step beside torch") struct PolicyStepGoldenTests {
  static let tolerance = 1e-3

  @Test("loss, gradient norm and the weights after AdamW are torch's, for each method", arguments: ["grpo", "rloo", "remax"])
  func step(method: String) throws {
    let golden = try PolicyStepGolden.load()
    let rollouts = try PolicyGolden.load()
    let pool = ThreadPool(threads: 2)
    let given = rollouts.rollouts.map(Self.rollout)
    var largest = 0.0
    for (one, policy) in zip(golden.cases, golden.policies) where policy.method == method {
      let loaded = try ModelDirectory.load(PolicyGolden.tests + "ModelingTests/Fixtures/tiny-llama", pool: pool)
      let (start, base) = (ParameterArena(loaded.arena.layout), ParameterArena(loaded.arena.layout))
      for index in 0..<start.count {
        start.pointer[index] = loaded.arena.pointer[index]
        base.pointer[index] = Float(Double(start.pointer[index]) * golden.referenceScale)
      }
      let record = try Self.train(loaded, given, base, pool, Self.settings(one, policy, golden.optimizer, beta: rollouts.beta))
      #expect(record["updates"] == Double(one.numIterations ?? 1))
      #expect(abs(record["loss"] - policy.loss) <= Self.tolerance * abs(policy.loss), "\(record["loss"]), \(policy)")
      #expect(abs(record["grad_norm"] - one.gradNorm) <= Self.tolerance * one.gradNorm, "\(record["grad_norm"]), \(policy)")
      // Without a KL in the loss a group without signal is not looked at.
      if policy.estimator != nil, policy.klIn != "reward" {
        let clipped = Double(policy.clippedLow) / Double(policy.ratios)
        #expect(abs(record["clip_ratio/low_mean"] - clipped) < 1e-12 && abs(record["ratio/max"] - policy.ratioMax) < 1e-4, "\(policy)")
      }
      for (number, name) in golden.tensors.enumerated() {
        let entry = try #require(loaded.arena.layout[name])
        let change = entry.range.map { Double(loaded.arena.pointer[$0]) - Double(start.pointer[$0]) }
        let error = Self.error(change, norm: policy.norms[number], projection: policy.projections[number], entries: one.entries[number])
        largest = max(largest, error)
        #expect(error <= Self.tolerance, "\(name), \(policy)")
      }
    }
    #expect(largest > 0)
  }

  // MARK: - The run

  /// The completion's text is its reward, which a program says after it.
  private static func rollout(_ golden: PolicyGolden.Rollout) -> Rollout {
    let samples = golden.completions.map { completion in
      Rollout.Sample(
        text: completion.reward.map { "\($0)" } ?? "null", ids: completion.ids.map(Int32.init), logProbabilities: completion.old,
        finish: completion.truncated ? .length : .stop)
    }
    let greedy = Rollout.Sample(text: "\(golden.greedyReward)", ids: [1], logProbabilities: [-1], finish: .stop)
    return Rollout(
      record: Record(.prompted(.text("q"), completion: nil)), promptText: "q", promptIDs: golden.prompt.map(Int32.init), samples: samples,
      greedy: greedy)
  }

  private static func settings(
    _ one: PolicyStepGolden.Case, _ policy: PolicyGolden.Case, _ optimizer: PolicyStepGolden.Optimizer, beta: Double
  ) -> ReinforcementSettings {
    var settings = ReinforcementSettings()
    settings.method = policy.advantageMethod
    settings.loss = policy.settings(beta: beta)
    settings.loss.beta = policy.estimator == nil ? 0 : beta
    settings.klPlacement = policy.klIn == "reward" ? .reward : .loss
    settings.reference = .base
    settings.promptsPerStep = 4
    settings.promptsPerMicroBatch = 3
    settings.iterations = one.numIterations ?? 1
    settings.dropsEqualRewards = one.dropZeroVariance ?? false
    settings.masksTruncated = one.maskTruncatedCompletions ?? false
    settings.optimizer.maxSteps = 1
    settings.optimizer.schedule = .constant
    settings.optimizer.learningRate = optimizer.learningRate
    settings.optimizer.beta1 = optimizer.adamBeta1
    settings.optimizer.beta2 = optimizer.adamBeta2
    settings.optimizer.epsilon = optimizer.adamEpsilon
    settings.optimizer.weightDecay = optimizer.weightDecay
    settings.optimizer.maxGradNorm = optimizer.maxGradNorm
    return settings
  }

  private static func train(
    _ loaded: LoadedModel, _ given: [Rollout], _ base: ParameterArena, _ pool: ThreadPool, _ settings: ReinforcementSettings
  ) throws -> StepRecord {
    let echo: JSONValue = [
      ["name": "given", "kind": "command", "command": ["sed", "-u", #"s/.*"completion":"\([^"]*\)".*/\1/"#]]
    ]
    let prompts = given.map { AskedPrompt(record: $0.record, text: $0.promptText, ids: $0.promptIDs) }
    let run = try ReinforcementRun(
      ModelWeights(loaded.configuration, loaded.arena), pool: pool, .init(prompts: prompts, given: given, base: base),
      codec: TinyReinforcement.codec, endTokens: [], rewards: try RewardSum(try #require(echo.arrayValue)), settings)
    var records: [StepRecord] = []
    var control = ReinforcementControl()
    control.onStep = { records.append($0) }
    _ = try run.run(control)
    return try #require(records.first)
  }

  // MARK: - The comparison

  /// Relative to the norm; sign + where bit 15 of i · 2654435761 (mod 2³²) is 0.
  private static func error(_ change: [Double], norm: Double, projection: Double, entries: [Double]) -> Double {
    var (squares, sum) = (0.0, 0.0)
    for (index, value) in change.enumerated() {
      squares += value * value
      sum += (UInt32(truncatingIfNeeded: index) &* 2_654_435_761) >> 15 & 1 == 0 ? value : -value
    }
    var error = max(abs(squares.squareRoot() - norm), abs(sum - projection))
    for (place, entry) in entries.enumerated() { error = max(error, abs(change[change.count * place / entries.count] - entry)) }
    return error / norm
  }
}
