import Reinforcement
import Testing

@Suite("Reinforcement errors") struct ReinforcementErrorTests {
  @Test("they say which step or rollout, and what to do") func text() {
    #expect(
      "\(ReinforcementError.noRewards(step: 1, components: ["accuracy", "format"]))"
        == "no completion of step 1 could be scored: 'accuracy', 'format' gave null for all of them")
    #expect(
      "\(ReinforcementError.noGreedySample(rollout: 2))"
        == "rollout 3 has no greedy completion, which remax compares with: make the rollouts with 'greedy: true'")
  }
}
