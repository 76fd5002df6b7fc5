import Reinforcement
import Testing

@Suite("KL estimates") struct PolicyKLTests {
  @Test("the three estimates of one token") func values() {
    let wanted: [KLEstimator: Double] = [.k1: -0.2, .k2: 0.02, .k3: 0.0214027581601699]
    for estimator in KLEstimator.allCases {
      #expect(abs(estimator.estimate(policy: -1.2, reference: -1).value - (wanted[estimator] ?? .nan)) < 2e-16 * 8)
    }
  }

  @Test("slopes are the estimates' derivatives", arguments: KLEstimator.allCases, [KLEstimator.Clamps(), .veRL])
  func slopes(_ estimator: KLEstimator, _ clamps: KLEstimator.Clamps) {
    let h = 1e-6
    for policy in [-30.0, -25, -14.5, -6, -2.25, -1.2, -1, -0.1, -0.001] {
      for reference in [-28.0, -12, -4, -1, -0.5] {
        let below = estimator.estimate(policy: policy - h, reference: reference, clamps).value
        let above = estimator.estimate(policy: policy + h, reference: reference, clamps).value
        let slope = estimator.estimate(policy: policy, reference: reference, clamps).slope
        #expect(abs((above - below) / (2 * h) - slope) <= 1e-6 * max(1, abs(slope), abs(above)), "\(policy), \(reference)")
      }
    }
  }

  @Test("beyond the bounds nothing moves and nothing is infinite") func clamps() {
    for estimator in KLEstimator.allCases {
      for (policy, reference) in [(-500.0, -0.1), (-0.1, -500)] {
        let far = estimator.estimate(policy: policy, reference: reference)
        #expect(far.slope == 0 && far.value.isFinite)
        #expect(estimator.estimate(policy: policy, reference: reference, .veRL).value.magnitude <= 10)
      }
    }
    #expect(KLEstimator.k1.estimate(policy: -500, reference: 0).value == -20)
    #expect(KLEstimator.k2.estimate(policy: -500, reference: 0).value == 200)
    #expect(KLEstimator.k3.estimate(policy: 0, reference: -500).value == KLEstimator.k3.estimate(policy: 0, reference: -20).value)
    #expect(KLEstimator.k1.estimate(policy: .nan, reference: 0).value.isNaN)
  }

  @Test("KL in the reward is the sum over the completion") func sum() {
    let policy: [Float] = [-1.25, -0.5, -3]
    let reference: [Float] = [-1, -0.75, -3]
    #expect(KLEstimator.k1.sum(policy: policy, reference: reference) == 0)
    #expect(KLEstimator.k2.sum(policy: policy, reference: reference) == 0.0625)
    #expect(KLEstimator.k3.sum(policy: [Float](), reference: [Float]()) == 0)
  }

  @Test("an adaptive β rises above the target, falls below it, by a fifth of n / horizon at most") func adaptive() {
    var controller = AdaptiveKL(beta: 0.1, target: 6, horizon: 10_000)
    controller.update(kl: 60, completions: 500)
    #expect(abs(controller.beta - 0.1 * 1.01) < 1e-15)
    controller.update(kl: 0, completions: 500)
    #expect(abs(controller.beta - 0.1 * 1.01 * 0.99) < 1e-15)
    controller.update(kl: 6.6, completions: 10_000)
    #expect(abs(controller.beta - 0.1 * 1.01 * 0.99 * 1.1) < 1e-15)
    controller.update(kl: 6, completions: 10_000)
    #expect(abs(controller.beta - 0.1 * 1.01 * 0.99 * 1.1) < 1e-15)
  }
}
