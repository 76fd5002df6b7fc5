import Evaluation

extension [Rollout] {
  /// These rollouts with every completion's rewards, the greedy ones' too; all asked in one batch.
  ///
  /// - Parameter prompts: what each of them answers, where its place is known: errors name it.
  package func scored(by rewards: RewardSum, of prompts: [AskedPrompt]? = nil) throws -> [Rollout] {
    let requests = enumerated().flatMap { index, rollout in
      (rollout.samples + [rollout.greedy].compactMap { $0 }).map { rollout.request($0, prompts?[index].place) }
    }
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
  fileprivate func request(_ sample: Sample, _ place: String?) -> RewardRequest {
    RewardRequest(
      record: record, promptText: promptText, completion: sample.text, completionIDs: sample.ids, isComplete: sample.finish == .stop,
      place: place)
  }
}
