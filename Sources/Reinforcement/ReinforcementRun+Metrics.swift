import Evaluation
import Training

extension ReinforcementRun {
  /// What the finished step was like.
  func record(_ planned: PromptPlan.Step, _ experience: Experience, beta: Double, rate: Double, _ clock: StepClock) -> StepRecord {
    let samples = experience.rollouts.flatMap(\.samples)
    let updates = Double(max(state.sums.updates, 1))
    let loss = state.sums.loss
    var values: [(name: String, value: Double)] = [
      ("loss", loss.loss / updates), ("reward", Statistics.mean(samples.compactMap { $0.rewards?.total })),
      ("reward_std", Statistics.mean(experience.advantages.groups.filter { $0.scored > 0 }.map(\.standardDeviation))),
      ("reward_variance", experience.advantages.meanGroupVariance), ("frac_reward_zero_std", experience.advantages.equalShare),
      ("unscored", Double(samples.count { $0.rewards?.total == nil })),
    ]
    for name in rewards.names {
      let component = samples.compactMap { $0.rewards?[name] }
      values += [("rewards/\(name)/mean", Statistics.mean(component)), ("rewards/\(name)/std", Statistics.standardDeviation(component))]
    }
    if let kl = experience.kl { values += [("kl", kl), ("beta", beta)] }
    values += [
      ("entropy", -Statistics.mean(samples.flatMap { $0.logProbabilities.map(Double.init) })),
      ("clip_ratio/low_mean", loss.clipRatioLow), ("clip_ratio/high_mean", loss.clipRatioHigh),
      ("clip_ratio/region_mean", loss.clipRatioRegion), ("ratio/max", loss.ratios > 0 ? loss.ratioMaximum : 1),
    ]
    let lengths = samples.map { Double($0.ids.count) }
    values += [
      ("completions/mean_length", Statistics.mean(lengths)), ("completions/min_length", lengths.min() ?? 0),
      ("completions/max_length", lengths.max() ?? 0),
      ("completions/clipped_ratio", Double(samples.count { $0.finish == .length }) / Double(max(samples.count, 1))),
      ("updates", Double(state.sums.updates)), ("num_tokens", Double(state.tokens)), ("learning_rate", rate),
      ("grad_norm", state.sums.gradNorm / updates), ("epoch", planned.epoch),
    ]
    for (index, term) in terms.enumerated() {
      let sum = state.sums.terms.indices.contains(index) ? state.sums.terms[index] : 0
      values.append((NamedValue.column(ofTerm: term.name), sum / updates))
    }
    return StepRecord(step: state.step, values: values, timings: clock.timings(tokens: Int(lengths.reduce(0, +))))
  }
}

extension Experience {
  /// KL(π‖π_ref) of the policy that sampled, by the loss's estimator, the mean over completion tokens; nil without a reference.
  var kl: Double? {
    guard let reference else { return nil }
    var sum = 0.0
    var count = 0
    for (rollout, references) in zip(rollouts, reference) {
      for (sample, reference) in zip(rollout.samples, references) {
        sum += estimator.sum(policy: sample.logProbabilities, reference: reference, clamps)
        count += reference.count
      }
    }
    return count == 0 ? nil : sum / Double(count)
  }
}

/// How long the parts of a step took.
struct StepClock {
  var sampling = 0.0
  var scoring = 0.0
  var training = 0.0
  private var last = ContinuousClock.now

  mutating func lap(_ part: WritableKeyPath<StepClock, Double>) {
    let now = ContinuousClock.now
    let seconds = last.duration(to: now)
    self[keyPath: part] += Double(seconds.components.seconds) + Double(seconds.components.attoseconds) * 1e-18
    last = now
  }

  /// `tokens`: of the step's completions.
  func timings(tokens: Int) -> [(name: String, value: Double)] {
    let whole = sampling + scoring + training
    return [
      ("step_time", whole), ("sampling_time", sampling), ("training_time", training),
      ("tokens_per_second", whole > 0 ? Double(tokens) / whole : 0),
    ]
  }
}
