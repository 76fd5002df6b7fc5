import Kernels
import Reinforcement
import Testing

/// Evaluates settings on arrays.
struct Evaluated {
  let statistics: PolicyLossStatistics
  let slopes: [Float]

  init(_ settings: PolicyLossSettings, _ batch: PolicyBatch, _ logProbabilities: [Float], _ counts: PolicyCounts? = nil) {
    var slopes = [Float](repeating: .nan, count: logProbabilities.count)
    statistics = logProbabilities.withUnsafeBufferPointer { log in
      slopes.withUnsafeMutableBufferPointer { slopes in
        guard let log = log.baseAddress, let slopes = slopes.baseAddress else { return PolicyLossStatistics() }
        return settings.evaluate(batch, counts ?? batch.counts, logProbabilities: log, slopes: slopes)
      }
    }
    self.slopes = slopes
  }
}

@Suite("Policy loss") struct PolicyLossTests {
  /// One completion of one token, with π_old = 1 so that log p is log ρ.
  static func single(_ ratio: Double, _ advantage: Float, _ settings: PolicyLossSettings) -> Evaluated {
    var batch = PolicyBatch()
    batch.append(advantage: advantage, old: [Float(0)])
    return Evaluated(settings, batch, [Float(VectorMath.log(ratio))])
  }

  static func settings(_ change: (inout PolicyLossSettings) -> Void) -> PolicyLossSettings {
    var settings = PolicyLossSettings()
    change(&settings)
    return settings
  }

  static let higher = settings { $0.epsilonHigh = 0.28 }
  static let dual = settings {
    $0.epsilonHigh = 0.28
    $0.delta = 3
  }

  @Test(
    "clipping, as loss and as slope",
    arguments: [
      (1.5, 1, -1.28, 0), (1.5, -1, 1.5, 1.5), (0.5, 1, -0.5, -0.5), (0.5, -1, 0.8, 0), (4, -1, 4, 4), (1.1, 1, -1.1, -1.1),
    ] as [(Double, Float, Double, Double)])
  func clips(_ ratio: Double, _ advantage: Float, _ loss: Double, _ slope: Double) {
    let made = Self.single(ratio, advantage, Self.higher)
    #expect(abs(made.statistics.loss - loss) < 5e-7)
    #expect(abs(Double(made.slopes[0]) - slope) < 5e-7)
  }

  @Test("the dual clip bounds what a disadvantage can cost") func dualClip() {
    let made = Self.single(4, -1, Self.dual)
    #expect(made.statistics.loss == 3 && made.slopes == [0])
    #expect(made.statistics.clippedDual == 1 && made.statistics.clippedLow == 0 && made.statistics.clippedHigh == 0)
    #expect(abs(Self.single(2.5, -1, Self.dual).statistics.loss - 2.5) < 5e-7)
  }

  @Test("what was clipped is counted by side") func counts() {
    var batch = PolicyBatch()
    let ratios = [1.5, 0.5, 1.5, 0.5, 1.1, 0.9]
    batch.append(advantage: 1, old: [Float](repeating: 0, count: 6))
    batch.append(advantage: -1, old: [Float](repeating: 0, count: 6))
    let log = (ratios + ratios).map { Float(VectorMath.log($0)) }
    let made = Evaluated(Self.higher, batch, log).statistics
    #expect([made.clippedLow, made.clippedHigh, made.ratios, made.tokens] == [2, 2, 12, 12])
    #expect(made.clipRatioLow == 1.0 / 6 && made.clipRatioRegion == 1.0 / 3)
    #expect(abs(made.ratioMinimum - 0.5) < 1e-7 && abs(made.ratioMaximum - 1.5) < 1e-7 && abs(made.ratioMean - 1) < 1e-7)
    #expect(made.kl == nil)
    #expect(
      made.named.map(\.name) == [
        "loss", "clip_ratio/low_mean", "clip_ratio/high_mean", "clip_ratio/region_mean", "ratio/min", "ratio/mean", "ratio/max",
      ])
  }

  @Test("each loss type divides by its own") func aggregation() {
    var batch = PolicyBatch()
    batch.append(advantage: 1, old: [-1])
    batch.append(advantage: -2, old: [-1, -1, -1])
    let log: [Float] = [-1, -1, -1, -1]
    func loss(_ type: PolicyLossSettings.LossType) -> Evaluated {
      Evaluated(
        Self.settings {
          $0.lossType = type
          $0.maxCompletionLength = 10
        }, batch, log)
    }
    #expect(abs(loss(.grpo).statistics.loss - 0.5) < 1e-15)
    #expect(loss(.dapo).statistics.loss == 1.25)
    #expect(abs(loss(.drGRPO).statistics.loss - 0.25) < 1e-15)
    #expect(loss(.grpo).slopes == [-0.5, Float(1.0 / 3), Float(1.0 / 3), Float(1.0 / 3)])
    #expect(loss(.dapo).slopes == [-0.25, 0.5, 0.5, 0.5])
    #expect(loss(.drGRPO).slopes == [-0.05, 0.1, 0.1, 0.1])
  }

  @Test("micro-batches add up to the step") func parts() {
    let random = RandomBatch(seed: 4)
    for type in PolicyLossSettings.LossType.allCases {
      let settings = Self.settings {
        $0.lossType = type
        $0.beta = 0.1
      }
      let whole = Evaluated(settings, random.batch, random.log)
      var sum = PolicyLossStatistics()
      for sequence in random.batch.sequences {
        let part = PolicyBatch(
          sequences: [.init(targets: 0..<sequence.targets.count, advantage: sequence.advantage, weight: sequence.weight)],
          old: Array(random.batch.old[sequence.targets]), reference: random.batch.reference.map { Array($0[sequence.targets]) })
        let made = Evaluated(settings, part, Array(random.log[sequence.targets]), random.batch.counts)
        #expect(made.slopes == Array(whole.slopes[sequence.targets]))
        sum.add(made.statistics)
      }
      #expect(abs(sum.loss - whole.statistics.loss) < 1e-12)
      #expect(sum.tokens == whole.statistics.tokens && sum.clippedHigh == whole.statistics.clippedHigh)
      #expect(sum.ratioMaximum == whole.statistics.ratioMaximum && abs((sum.kl ?? 0) - (whole.statistics.kl ?? 1)) < 1e-12)
    }
  }

  @Test("a completion left out has no slope, no count and no say") func leftOut() {
    var batch = PolicyBatch()
    batch.append(advantage: 5, weight: 0, old: [-9, -9], reference: [-9, -9])
    batch.append(advantage: 1, old: [-1], reference: [-1])
    #expect(batch.counts == PolicyCounts(sequences: 1, tokens: 1))
    let made = Evaluated(Self.settings { $0.beta = 1 }, batch, [-0.5, .nan, -1])
    #expect(made.slopes == [0, 0, -1])
    #expect(made.statistics.loss == -1 && made.statistics.tokens == 1 && made.statistics.klTokens == 1)
    #expect(made.statistics.ratioMaximum == 1)
  }

  @Test("nothing at all gives nothing, and an empty completion is passed over") func empty() {
    var batch = PolicyBatch()
    batch.append(advantage: 1, old: [])
    batch.append(advantage: 1, old: [-1])
    #expect(batch.counts == PolicyCounts(sequences: 2, tokens: 1))
    let made = Evaluated(Self.settings { $0.lossType = .grpo }, batch, [-1])
    #expect(made.statistics.loss == -0.5 && made.slopes == [-0.5])
    #expect(Evaluated(PolicyLossSettings(), PolicyBatch(), []).statistics == PolicyLossStatistics())
  }

  @Test("ratios far away stay finite; a zero advantage gives zero; NaN shows") func extremes() {
    let far = Self.single(1, -1, PolicyLossSettings())
    #expect(far.statistics.loss == 1)
    var batch = PolicyBatch()
    batch.append(advantage: -1, old: [-400], reference: [-400])
    let made = Evaluated(Self.settings { $0.beta = 0.1 }, batch, [0])
    #expect(made.statistics.loss.isFinite && made.statistics.loss > 1e8 && made.slopes == [0])
    var zero = PolicyBatch()
    zero.append(advantage: 0, old: [-400, -1])
    #expect(Evaluated(PolicyLossSettings(), zero, [0, -1]).slopes == [0, 0])
    #expect(Evaluated(PolicyLossSettings(), zero, [0, -1]).statistics.loss == 0)
    #expect(Evaluated(PolicyLossSettings(), zero, [0, .nan]).statistics.loss.isNaN)
  }

  @Test("GSPO's ratio is the geometric mean of its tokens'") func sequenceRatio() {
    var batch = PolicyBatch()
    batch.append(advantage: 2, old: [-1, -2])
    let settings = Self.settings {
      $0.importanceSamplingLevel = .sequence
      $0.lossType = .grpo
      $0.epsilon = 3e-4
      $0.epsilonHigh = 0.2
    }
    let made = Evaluated(settings, batch, [-0.75, -2.125])
    let ratio = VectorMath.exp(0.0625)
    #expect(made.statistics.ratios == 1 && made.statistics.ratioMean == ratio)
    #expect(abs(made.statistics.loss + 2 * ratio) < 1e-15)
    #expect(made.slopes == [Float(-ratio), Float(-ratio)])
  }
}
