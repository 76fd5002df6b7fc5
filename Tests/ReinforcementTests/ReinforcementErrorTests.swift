import Reinforcement
import Testing

@Suite("Reinforcement errors") struct ReinforcementErrorTests {
  @Test("they say which step or rollout, and what to do") func text() {
    #expect(
      "\(ReinforcementError.noRewards(step: 1, components: ["accuracy", "format"], place: nil))"
        == "no completion of step 1 could be scored: 'accuracy', 'format' gave null for all of them")
    #expect(
      "\(ReinforcementError.noGreedySample(place: "rollout 3"))"
        == "rollout 3: there is no greedy completion, which remax compares with: make the rollouts with 'greedy: true'")
    #expect("\(ReinforcementError.emptyCompletion(place: "rollouts.jsonl:7"))" == "rollouts.jsonl:7: a completion has no tokens")
  }
}
