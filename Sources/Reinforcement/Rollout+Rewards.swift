import Evaluation

extension [Rollout] {
  /// These rollouts with every completion's rewards, the greedy ones' too; all asked in one batch.
  package func scored(by rewards: RewardSum) throws -> [Rollout] {
    let requests = flatMap { rollout in (rollout.samples + [rollout.greedy].compactMap { $0 }).map { rollout.request($0) } }
    var answers = try rewards.score(requests).makeIterator()
    return map { rollout in
      var scored = rollout
      for index in scored.samples.indices { scored.samples[index].rewards = answers.next() }
      if scored.greedy != nil { scored.greedy?.rewards = answers.next() }
      return scored
    }
  }
}

extension Rollout {
  fileprivate func request(_ sample: Sample) -> RewardRequest {
    RewardRequest(
      record: record, promptText: promptText, completion: sample.text, completionIDs: sample.ids, isComplete: sample.finish == .stop)
  }
}
