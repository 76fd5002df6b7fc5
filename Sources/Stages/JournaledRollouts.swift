import Evaluation
import Foundation
import Modeling
import Reinforcement
import StageInterface

/// Completions as a stage samples them: each in a journal as soon as it is whole, so that a stage that was stopped samples only what is missing.
struct JournaledRollouts {
  let sampler: RolloutSampler
  /// Completions a prompt.
  let samples: Int
  /// One more that takes the likeliest token each time.
  let greedy: Bool
  /// The model's directory, for errors.
  let directory: String

  /// In the order of the prompts.
  ///
  /// - Throws: `StageInterrupted` when the stage was asked to stop.
  func rollouts(_ transformer: Transformer, _ prompts: [AskedPrompt], _ context: StageContext) throws -> [Rollout] {
    let journal = try RolloutJournal(context.checkpointDirectory + "/rollouts.jsonl", prompts: prompts.count)
    let missing = prompts.indices.filter { journal[$0] == nil }
    let started = ContinuousClock.now
    let perPrompt = samples + (greedy ? 1 : 0)
    let done = (prompts.count - missing.count) * perPrompt
    var failure: (any Error)?
    let isWhole = try sampler.sample(
      transformer, missing.map { prompts[$0] }, numbers: missing, samples: samples, greedy: greedy,
      progress: { progress in
        context.progress(done: done + progress.finished, of: prompts.count * perPrompt)
        if progress.steps % 16 == 0 { Self.report(progress.tokens, since: started, context) }
        return failure == nil && !context.stopRequested
      },
      onFinished: { place, rollout in
        guard rollout.isFinite else {
          failure = failure ?? StageFailure("the model's log-probabilities are not finite: its weights are spoilt", file: directory)
          return
        }
        do { try journal.append(missing[place], rollout) } catch { failure = error }
      })
    if let failure { throw failure }
    guard isWhole else {
      try journal.synchronize()
      throw StageInterrupted()
    }
    if !journal.kernels.isEmpty { context.kernels(journal.kernels) }
    return journal.rollouts()
  }

  private static func report(_ tokens: Int, since start: ContinuousClock.Instant, _ context: StageContext) {
    let seconds = start.duration(to: .now) / .seconds(1)
    if seconds > 0 { context.metric(step: 0, "tokens_per_second", Double(tokens) / seconds) }
  }
}
