import Datasets
import Evaluation
import Generation
import JSONValues
import Kernels
import Modeling
import Reinforcement
import Testing
import Training

@Suite("Reinforcement fine-tuning") struct ReinforcementRunTests {
  @Test("the reward rises, whatever makes the advantages", arguments: ["grpo", "rloo", "remax"])
  func learns(method: String) throws {
    let (records, _) = try TinyReinforcement {
      $0.method = Self.method(method)
      $0.optimizer.maxSteps = 60
      $0.optimizer.schedule = .constant
      $0.promptsPerStep = 10
      $0.generations = 8
    }.run()
    let rewards = records.map { $0["reward"] }
    #expect(rewards.prefix(3).reduce(0, +) / 3 < 0.5)
    #expect(rewards.suffix(5).reduce(0, +) / 5 > 0.9)
  }

  @Test("equal rewards teach nothing: no update is made, and the groups are counted") func noSignal() throws {
    var tiny = TinyReinforcement()
    tiny.rewards = [["name": "length", "kind": "length", "weight": 1, "min_length": 0, "max_length": 50]]
    let before = tiny.parameters
    let (records, _) = try tiny.run()
    #expect(tiny.parameters == before)
    #expect(records.allSatisfy { $0["frac_reward_zero_std"] == 1 && $0["updates"] == 0 && $0["reward"] == 1 })
  }

  @Test("the policy that samples is the policy that trains: on the first update every ratio is 1 to the bit", arguments: [1.0, 0.7])
  func ratios(temperature: Double) throws {
    let (records, _) = try TinyReinforcement { $0.sampling.temperature = temperature }.run()
    #expect(records.count == 6)
    #expect(records.allSatisfy { abs($0["ratio/max"] - 1) < 1e-6 && $0["clip_ratio/region_mean"] == 0 })
  }

  @Test("further passes over the same rollouts move the ratios, and clip them") func iterations() throws {
    let (records, _) = try TinyReinforcement {
      $0.iterations = 4
      $0.optimizer.learningRate = 3e-2
    }.run()
    #expect(records.contains { $0["ratio/max"] > 1.2 })
    #expect(records.contains { $0["clip_ratio/region_mean"] > 0 })
  }

  @Test("one and two threads, other batches of sequences: the same weights and metrics", arguments: [1, 2, 3])
  func invariance(threads: Int) throws {
    let first = TinyReinforcement(threads: 2) { Self.everything(&$0) }
    let second = TinyReinforcement(threads: threads) {
      Self.everything(&$0)
      $0.sequencesAtOnce = 3
    }
    let (records, _) = try first.run()
    #expect(try second.run().records.map(\.text) == records.map(\.text))
    #expect(second.parameters == first.parameters)
  }

  @Test("stopped anywhere and resumed: the weights and metrics of an uninterrupted run", arguments: [0, 3, 7, 8, 9, 10, 11, 20, 37, 60])
  func resume(questions: Int) throws {
    var whole = TinyReinforcement { Self.everything(&$0) }
    whole.anchoring = 0.5
    let expected = try whole.run().records.map(\.text)
    let directory = try TemporaryDirectory()
    var control = ReinforcementControl()
    control.checkpointDirectory = directory.path
    control.saveSteps = 2
    var asked = 0
    control.shouldStop = {
      asked += 1
      return asked > questions
    }
    var stopped = TinyReinforcement { Self.everything(&$0) }
    stopped.anchoring = 0.5
    let first = try stopped.run(control)
    if case .finished = first.outcome {
      #expect(first.records.map(\.text) == expected)
      return
    }
    control.shouldStop = { false }
    var resumed = TinyReinforcement { Self.everything(&$0) }
    resumed.anchoring = 0.5
    let second = try resumed.run(control)
    #expect(first.records.map(\.text) + second.records.map(\.text) == expected)
    #expect(resumed.parameters == whole.parameters)
  }

  @Test("a term is added to every update, has its column, and holds the policy back") func terms() throws {
    let start = TinyReinforcement().parameters
    func distance(_ anchoring: Double) throws -> (Float, [StepRecord]) {
      var tiny = TinyReinforcement { $0.iterations = 4 }
      tiny.anchoring = anchoring
      let records = try tiny.run().records
      return (zip(tiny.parameters, start).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }, records)
    }
    let (free, plain) = try distance(0)
    let (held, records) = try distance(100)
    #expect(held < 0.5 * free)
    #expect(plain.allSatisfy { $0.values.last?.name == "epoch" })
    #expect(records.allSatisfy { $0.values.last?.name == "loss/l2" && $0["loss/l2"] >= 0 })
    #expect(records.contains { $0["loss/l2"] > 0 })
  }

  @Test("killed between checkpoints: what came after the last one is done again, the same") func killed() throws {
    let whole = TinyReinforcement { Self.everything(&$0) }
    let expected = try whole.run().records.map(\.text)
    let directory = try TemporaryDirectory()
    var control = ReinforcementControl()
    control.checkpointDirectory = directory.path
    control.saveSteps = 4
    _ = try TinyReinforcement { Self.everything(&$0) }.run(control)
    // The last checkpoint is that of step 4: a crash after it starts there.
    let resumed = TinyReinforcement { Self.everything(&$0) }
    #expect(try resumed.run(control).records.map(\.text) == Array(expected.suffix(2)))
    #expect(resumed.parameters == whole.parameters)
  }

  @Test("a checkpoint of other settings is refused") func foreign() throws {
    let directory = try TemporaryDirectory()
    var control = ReinforcementControl()
    control.checkpointDirectory = directory.path
    control.saveSteps = 2
    _ = try TinyReinforcement().run(control)
    #expect(throws: TrainingError.foreignCheckpoint(path: directory.path + "/checkpoint", part: "settings")) {
      try TinyReinforcement { $0.loss.epsilon = 0.3 }.run(control)
    }
  }

  @Test("rollouts that are given are learnt from in the first pass; after it the policy samples") func given() throws {
    var tiny = TinyReinforcement { $0.optimizer.maxSteps = 4 }
    tiny.given = try tiny.rollouts()
    let expected = try tiny.given?.scored(by: RewardSum(tiny.rewards)).flatMap { $0.samples.compactMap { $0.rewards?.total } }
    let (records, _) = try tiny.run()
    let seen = (records[0]["reward"] + records[1]["reward"]) / 2
    #expect(abs(seen - (expected ?? []).reduce(0, +) / Double(expected?.count ?? 1)) < 1e-12)
    #expect(abs(records[0]["ratio/max"] - 1) < 1e-6)
    #expect(records[1]["ratio/max"] > 1 + 1e-4, "the second step learns from what the policy before it said")
    #expect(abs(records[2]["ratio/max"] - 1) < 1e-6)
  }

  @Test("a reference holds the policy: with a large beta it hardly moves away", arguments: ReinforcementSettings.KLPlacement.allCases)
  func reference(placement: ReinforcementSettings.KLPlacement) throws {
    func drift(_ beta: Double) throws -> Double {
      let (records, _) = try TinyReinforcement {
        $0.loss.beta = beta
        $0.klPlacement = placement
        $0.loss.klEstimator = placement == .loss ? .k3 : .k1
        $0.optimizer.maxSteps = 30
        $0.optimizer.schedule = .constant
      }.run()
      return records.suffix(5).map { $0["kl"] }.reduce(0, +) / 5
    }
    #expect(try drift(2) < drift(1e-6) / 3)
  }

  @Test("what KL takes from the reward is by the estimator that was asked for") func rewardEstimator() throws {
    func parameters(_ estimator: KLEstimator) throws -> [Float] {
      var tiny = TinyReinforcement {
        $0.loss.beta = 0.1
        $0.klPlacement = .reward
        $0.reference = .base
        $0.loss.klEstimator = estimator
        $0.optimizer.maxSteps = 1
      }
      let base = ParameterArena(TinyReinforcement.configuration)
      Transformer.initialize(base, seed: 9, pool: tiny.pool)
      tiny.base = base
      _ = try tiny.run()
      return tiny.parameters
    }
    let trained = try KLEstimator.allCases.map(parameters)
    #expect(trained[0] != trained[1] && trained[1] != trained[2] && trained[0] != trained[2])
  }

  @Test("a moving reference follows, a base stays what it is") func references() throws {
    var tiny = TinyReinforcement {
      $0.loss.beta = 0.01
      $0.reference = .movingAverage
      $0.referenceSyncSteps = 1
      $0.referenceMixupAlpha = 1
    }
    #expect(try tiny.run().records.allSatisfy { abs($0["kl"]) < 1e-9 }, "the whole policy is taken over at every step")
    tiny = TinyReinforcement {
      $0.loss.beta = 0.01
      $0.reference = .base
    }
    #expect(throws: ReinforcementError.noBase) { try tiny.run() }
    let other = ParameterArena(TinyReinforcement.configuration)
    Transformer.initialize(other, seed: 9, pool: tiny.pool)
    tiny.base = other
    #expect(try tiny.run().records[0]["kl"] > 1e-4, "another model is at a distance from the start")
  }

  @Test("beta follows its target") func adaptive() throws {
    let (records, _) = try TinyReinforcement {
      $0.loss.beta = 0.1
      $0.adaptiveKL = .init(target: 10, horizon: 100)
    }.run()
    // Far below the target: 1 − 0.2 · 20 / 100 at every step.
    #expect(abs(records[1]["beta"] - 0.096) < 1e-12 && abs(records[2]["beta"] - 0.09216) < 1e-12)
  }

  @Test("completions cut off for length can be left out") func truncated() throws {
    let tiny = TinyReinforcement {
      $0.masksTruncated = true
      $0.maxNewTokens = 1
      // One token that does not end the completion: all of them are cut off.
      $0.minNewTokens = 1
    }
    let before = tiny.parameters
    #expect(try tiny.run().records.allSatisfy { $0["completions/clipped_ratio"] == 1 && $0["updates"] == 0 })
    #expect(tiny.parameters == before)
  }

  // MARK: - Errors

  @Test("one completion a prompt has nothing to be compared with", arguments: ["grpo", "rloo"]) func alone(method: String) throws {
    let error = AdvantageError.tooFewSamples(method: method, samples: 1, minimum: 2)
    #expect(throws: error) {
      try TinyReinforcement {
        $0.method = Self.method(method)
        $0.generations = 1
      }.run()
    }
  }

  @Test("given rollouts need what the algorithm compares") func givenErrors() throws {
    var tiny = TinyReinforcement { $0.method = .remax }
    tiny.given = try tiny.rollouts()
    #expect(throws: ReinforcementError.noGreedySample(place: "rollout 1")) { try tiny.run() }
    tiny.given = try tiny.rollouts(greedy: true)
    _ = try tiny.run()
    tiny.settings.method = .rloo
    tiny.given?[2].samples.removeLast(3)
    #expect(throws: ReinforcementError.tooFewSamples(place: "rollout 3", count: 1, method: "rloo")) { try tiny.run() }
  }

  @Test("rewards that are all null end the run and are named") func noRewards() throws {
    var tiny = TinyReinforcement()
    tiny.prompts = tiny.prompts.map { AskedPrompt(record: Record($0.record.content), text: $0.text, ids: $0.ids) }
    #expect(throws: ReinforcementError.noRewards(step: 1, components: ["accuracy"], place: nil)) { try tiny.run() }
  }

  @Test("a loss that is not finite ends the run with the step; the last checkpoint stays") func notFinite() throws {
    let directory = try TemporaryDirectory()
    var control = ReinforcementControl()
    control.checkpointDirectory = directory.path
    control.saveSteps = 1
    func diverge() throws -> [StepRecord] {
      var records: [StepRecord] = []
      control.onStep = { records.append($0) }
      let tiny = TinyReinforcement {
        $0.optimizer.learningRate = 1e38
        $0.optimizer.schedule = .constantWithWarmup
        $0.optimizer.warmupSteps = 2
      }
      let error = ReinforcementError.notFinite(quantity: "the norm of the policy's weights", step: 2, updates: 2, checkpoint: 1)
      #expect(throws: error) { try tiny.makeRun().run(control) }
      return records
    }
    #expect(try diverge().map(\.step) == [1])
    #expect(try diverge().isEmpty, "it goes on from the checkpoint of step 1, which is sound")
  }

  private static func method(_ name: String) -> AdvantageMethod {
    switch name {
    case "rloo": .rloo
    case "remax": .remax
    default: .grpo()
    }
  }

  /// Every part that a checkpoint must carry: several updates a step, a moving reference, a moving beta.
  private static func everything(_ settings: inout ReinforcementSettings) {
    settings.iterations = 2
    settings.promptsPerUpdate = 3
    settings.loss.beta = 0.05
    settings.reference = .movingAverage
    settings.referenceSyncSteps = 2
    settings.adaptiveKL = .init(target: 0.001, horizon: 200)
    settings.optimizer.weightDecay = 0.1
  }
}
