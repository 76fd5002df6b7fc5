import Kernels
import Reinforcement
import Testing

/// Completions of several lengths whose ratios and divergences lie on all sides of every bound. Log-probabilities are multiples of 2⁻¹¹, so
/// that a step of 2⁻¹³ to either side is exact in Float.
struct RandomBatch {
  var batch = PolicyBatch()
  var log: [Float] = []

  init(seed: UInt64) {
    let random = Philox(seed: seed, name: "policy batch")
    var position: UInt64 = 0
    func draw(_ low: Double, _ high: Double) -> Float {
      position += 1
      let grid = Double(1 << 11)
      return Float((low * grid + (high - low) * grid * random.uniformDouble(position)).rounded() / grid)
    }
    for (index, length) in [5, 1, 9, 3, 7, 4].enumerated() {
      let now = (0..<length).map { _ in draw(-5, -0.05) }
      // A drift of the whole completion beside that of each token, so that completions' ratios are clipped too.
      let drift = draw(-0.8, 0.8)
      batch.append(
        advantage: (index % 2 == 0 ? 1 : -1) * draw(0.3, 2), weight: [1, 1, 0, 0.5, 1, 1][index],
        old: now.map { $0 + drift + draw(-1, 1) }, reference: now.map { $0 + draw(-1.5, 1.5) })
      log += now
    }
  }
}

@Suite("Slopes of the policy loss") struct PolicyLossSlopeTests {
  struct Combination: CustomStringConvertible, Sendable {
    let settings: PolicyLossSettings
    let description: String
  }

  static let combinations: [Combination] = {
    var all: [Combination] = []
    let clips: [(String, Double?, Double?)] = [("symmetric", nil, nil), ("higher", 0.28, nil), ("dual", 0.28, 1.6)]
    let penalties: [(String, Double, KLEstimator, KLEstimator.Clamps)] =
      [("no KL", 0, .k3, .init())]
      + KLEstimator.allCases.flatMap {
        [($0.rawValue, 0.3, $0, .init()), ("\($0) bounded", 0.3, $0, .init(difference: 1.00024, value: 0.40015))]
      }
    for type in PolicyLossSettings.LossType.allCases {
      for level in [PolicyLossSettings.ImportanceSamplingLevel.token, .sequence] {
        for (clip, high, delta) in clips {
          for (kl, beta, estimator, clamps) in penalties {
            var settings = PolicyLossSettings()
            settings.lossType = type
            settings.importanceSamplingLevel = level
            (settings.epsilonHigh, settings.delta) = (high, delta)
            (settings.beta, settings.klEstimator, settings.klClamps) = (beta, estimator, clamps)
            settings.maxCompletionLength = 12
            all.append(Combination(settings: settings, description: "\(type.rawValue), \(level), \(clip), \(kl)"))
          }
        }
      }
    }
    return all
  }()

  @Test("are its derivative: every loss type, level, clip and KL", arguments: combinations)
  func finiteDifferences(_ combination: Combination) {
    for seed in 1...3 {
      let random = RandomBatch(seed: UInt64(seed))
      let made = Evaluated(combination.settings, random.batch, random.log)
      let h: Float = 0x1p-13
      func loss(_ target: Int, _ step: Float) -> Double {
        var log = random.log
        log[target] += step
        return Evaluated(combination.settings, random.batch, log).statistics.loss
      }
      for target in random.log.indices {
        let difference = (loss(target, h) - loss(target, -h)) / Double(2 * h)
        let slope = Double(made.slopes[target])
        #expect(abs(difference - slope) <= 2e-7 * max(1, abs(slope)), "seed \(seed), target \(target)")
      }
    }
  }

  @Test("the batches meet every kind of clipping") func coverage() {
    for level in [PolicyLossSettings.ImportanceSamplingLevel.token, .sequence] {
      var sum = PolicyLossStatistics()
      for seed in 1...3 {
        let random = RandomBatch(seed: UInt64(seed))
        var settings = PolicyLossSettings()
        settings.importanceSamplingLevel = level
        settings.delta = 1.6
        sum.add(Evaluated(settings, random.batch, random.log).statistics)
      }
      #expect(sum.clippedLow > 0 && sum.clippedHigh > 0 && sum.clippedDual > 0, "\(level)")
      #expect(sum.clippedLow + sum.clippedHigh + sum.clippedDual < sum.ratios)
    }
  }
}
