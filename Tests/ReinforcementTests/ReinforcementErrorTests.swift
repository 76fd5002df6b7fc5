import Reinforcement
import Testing

@Suite("Reinforcement errors") struct ReinforcementErrorTests {
  @Test("they say which step and what") func text() {
    #expect("\(ReinforcementError.notFinite(quantity: "the loss", step: 3))" == "the loss is not finite at step 3")
    #expect(
      "\(ReinforcementError.noRewards(step: 1, component: "accuracy"))"
        == "no completion of step 1 could be scored: 'accuracy' gave null for all of them")
  }
}
