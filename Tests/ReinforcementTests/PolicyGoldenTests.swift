import JSONValues
import Kernels
import Modeling
import Reinforcement
import Testing

/// One optimizer step's loss and gradients on given rollouts, as torch's autograd has them (`scripts/goldens/policy.py`).
struct PolicyGolden: Decodable {
  struct Completion: Decodable {
    let ids: [Int]
    let old: [Float]
    let reference: [Float]
    let reward: Double?
    let truncated: Bool
  }

  struct Rollout: Decodable {
    let prompt: [Int]
    let greedyReward: Double
    let completions: [Completion]
  }

  /// What a case leaves out is as in `defaults`.
  struct Case: Decodable {
    let method: String
    let scaleRewards: AdvantageMethod.Scale?
    let advantageDelta: Double?
    let lossType: PolicyLossSettings.LossType
    let epsilonHigh: Double?
    let delta: Double?
    let kl: String?
    let klIn: String?
    let importanceSamplingLevel: PolicyLossSettings.ImportanceSamplingLevel?
    let maskTruncatedCompletions: Bool?
    let loss: Double
    let ratios: Int
    let clippedLow: Int
    let clippedHigh: Int
    let ratioMin: Double
    let ratioMax: Double
    let klMean: Double?
    let norms: [Double]
    let projections: [Double]
  }

  let beta: Double
  let tensors: [String]
  let rollouts: [Rollout]
  let cases: [Case]

  static let tests = String(#filePath.dropLast("ReinforcementTests/PolicyGoldenTests.swift".count))

  static func load() throws -> PolicyGolden {
    let bytes = try PositionedFile.contents(of: tests + "ReinforcementTests/Fixtures/policy.json")
    return try JSONValue(parsing: bytes).decode(keys: .snakeCase)
  }
}

extension PolicyGolden.Case {
  var estimator: KLEstimator? { kl.flatMap(KLEstimator.init(rawValue:)) }

  var advantageMethod: AdvantageMethod {
    switch method {
    case "rloo": .rloo
    case "remax": .remax
    default: .grpo(scale: scaleRewards ?? .group, delta: advantageDelta ?? 1e-4)
    }
  }

  func settings(beta: Double) -> PolicyLossSettings {
    var settings = PolicyLossSettings()
    settings.lossType = lossType
    settings.epsilonHigh = epsilonHigh
    settings.delta = delta
    settings.beta = klIn == "reward" || estimator == nil ? 0 : beta
    settings.klEstimator = estimator ?? .k3
    settings.importanceSamplingLevel = importanceSamplingLevel ?? .token
    settings.maxCompletionLength = 8
    return settings
  }
}

/// A micro-batch of some of the rollouts, each prompt's rows once.
private struct Micro {
  var tokens = TokenBatch()
  var targets = Targets()
  var policy = PolicyBatch()

  init(_ rollouts: ArraySlice<PolicyGolden.Rollout>, _ advantages: ArraySlice<[Double]>, _ one: PolicyGolden.Case, keepsReference: Bool) {
    for (rollout, advantages) in zip(rollouts, advantages) {
      let group = tokens.append(prompt: rollout.prompt.map(Int32.init), continuations: rollout.completions.map { $0.ids.map(Int32.init) })
      for (index, completion) in rollout.completions.enumerated() {
        for (place, token) in completion.ids.enumerated() {
          let row = place == 0 ? group.prompt.upperBound - 1 : group.continuations[index].lowerBound + place - 1
          targets.append(row: row, token: Int32(token))
        }
        let isLeftOut = one.maskTruncatedCompletions == true && completion.truncated
        policy.append(
          advantage: Float(advantages[index]), weight: isLeftOut ? 0 : 1, old: completion.old,
          reference: keepsReference ? completion.reference : nil)
      }
    }
  }
}

@Suite("One step beside torch") struct PolicyGoldenTests {
  static let tolerance = 1e-4

  let golden: PolicyGolden
  let model: Transformer
  let gradients: ParameterArena

  init() throws {
    golden = try PolicyGolden.load()
    let pool = ThreadPool(threads: 2)
    let loaded = try ModelDirectory.load(PolicyGolden.tests + "ModelingTests/Fixtures/tiny-llama", pool: pool)
    model = Transformer(ModelWeights(loaded.configuration, loaded.arena), pool: pool)
    gradients = ParameterArena(loaded.arena.layout)
  }

  private func advantages(_ one: PolicyGolden.Case) -> [[Double]] {
    let groups = golden.rollouts.map { rollout in
      let rewards = rollout.completions.map { completion in
        completion.reward.map { reward in
          guard one.klIn == "reward", let estimator = one.estimator else { return reward }
          return reward - golden.beta * estimator.sum(policy: completion.old, reference: completion.reference)
        }
      }
      return Advantages.Group(rewards: rewards, greedy: rollout.greedyReward)
    }
    return Advantages(groups, one.advantageMethod).values
  }

  /// The step in two micro-batches; gradients add up in `gradients`.
  private func step(_ one: PolicyGolden.Case) -> PolicyLossStatistics {
    gradients.buffer.clear()
    let settings = one.settings(beta: golden.beta)
    let advantages = advantages(one)
    let parts = [0..<1, 1..<golden.rollouts.count].map {
      Micro(golden.rollouts[$0], advantages[$0], one, keepsReference: settings.beta != 0)
    }
    let counts = parts.reduce(PolicyCounts()) { $0 + $1.policy.counts }
    var sum = PolicyLossStatistics()
    for part in parts {
      let activations = Activations(model.configuration, tokens: part.tokens.count, targets: part.targets.count, purpose: .training)
      let loss = TokenLoss(scope: .batch) { statistics, _, slopes in
        sum.add(settings.evaluate(part.policy, counts, logProbabilities: statistics.logProbabilities, slopes: slopes))
      }
      _ = model.train(part.tokens, part.targets, loss, activations, gradients: gradients)
    }
    return sum
  }

  /// Sign + where bit 15 of i · 2654435761 (mod 2³²) is 0.
  private static func projection(_ gradient: UnsafePointer<Float>, _ count: Int) -> (norm: Double, projection: Double) {
    var (squares, sum) = (0.0, 0.0)
    for index in 0..<count {
      let value = Double(gradient[index])
      squares += value * value
      sum += (UInt32(truncatingIfNeeded: index) &* 2_654_435_761) >> 15 & 1 == 0 ? value : -value
    }
    return (squares.squareRoot(), sum)
  }

  @Test(
    "the loss and every tensor's gradient are torch's, for each method, aggregation, clip and KL",
    arguments: ["grpo", "rloo", "remax"], PolicyLossSettings.LossType.allCases)
  func step(_ method: String, _ type: PolicyLossSettings.LossType) throws {
    let cases = golden.cases.filter { $0.method == method && $0.lossType == type }
    #expect(cases.count >= 27)
    for one in cases {
      let made = step(one)
      #expect(abs(made.loss - one.loss) <= Self.tolerance * abs(one.loss), "\(one)")
      #expect([made.ratios, made.clippedLow, made.clippedHigh] == [one.ratios, one.clippedLow, one.clippedHigh], "\(one)")
      #expect(abs(made.ratioMinimum - one.ratioMin) < 1e-4 && abs(made.ratioMaximum - one.ratioMax) < 1e-4, "\(one)")
      if let kl = one.klMean { #expect(abs((made.kl ?? .nan) - kl) <= Self.tolerance * abs(kl), "\(one)") }
      for (index, name) in golden.tensors.enumerated() {
        let entry = try #require(gradients.layout[name])
        let (norm, projection) = Self.projection(gradients.view(name), entry.count)
        let error = max(abs(norm - one.norms[index]), abs(projection - one.projections[index])) / one.norms[index]
        #expect(error <= Self.tolerance, "\(name), \(one)")
      }
    }
  }
}
