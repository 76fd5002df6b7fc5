import Datasets
import Generation
import JSONValues
import Kernels
import Modeling

extension ReinforcementRun {
  static func check(_ material: Material, _ settings: ReinforcementSettings) throws {
    guard !material.prompts.isEmpty else { throw ReinforcementError.noPrompts }
    if let given = material.given {
      precondition(given.count == material.prompts.count, "\(material.prompts.count) prompts, \(given.count) rollouts")
      for (index, rollout) in given.enumerated() {
        let place = material.prompts[index].place ?? "rollout \(index + 1)"
        do throws(AdvantageError) { try settings.method.check(samples: rollout.samples.count) } catch {
          throw ReinforcementError.tooFewSamples(place: place, count: rollout.samples.count, method: settings.method.name)
        }
        if settings.needsGreedy, rollout.greedy == nil { throw ReinforcementError.noGreedySample(place: place) }
        if rollout.samples.contains(where: { $0.ids.isEmpty }) { throw ReinforcementError.emptyCompletion(place: place) }
      }
    }
    try settings.method.check(samples: settings.generations)
    if settings.usesReference, settings.reference == .base, material.base == nil { throw ReinforcementError.noBase }
  }

  /// `policy`: as it samples.
  static func reference(
    _ policy: ModelWeights, _ material: Material, _ settings: ReinforcementSettings, _ pool: ThreadPool
  ) throws -> ReferencePolicy? {
    guard settings.usesReference else { return nil }
    if settings.reference == .base, let base = material.base { return ReferencePolicy(policy.configuration, base, pool: pool) }
    return try ReferencePolicy(copying: policy, pool: pool)
  }

  /// Of what is asked and what was given.
  static func fingerprint(_ material: Material) -> String {
    var hash: UInt64 = 0
    for prompt in material.prompts {
      hash = StableHash.mix(hash ^ StableHash.of(prompt.record.json.encodedBytes()))
      for id in prompt.ids { hash = StableHash.mix(hash ^ UInt64(UInt32(bitPattern: id))) }
    }
    for rollout in material.given ?? [] { hash = StableHash.mix(hash ^ StableHash.of(rollout.json.encodedBytes())) }
    return "\(material.prompts.count) prompts, " + String(hash, radix: 16)
  }
}

extension ReinforcementSettings {
  /// Without what moves no byte: a checkpoint is not bound to it.
  var bound: ReinforcementSettings {
    var bound = self
    bound.sequencesAtOnce = 0
    return bound
  }

  /// What log-probabilities are measured at: greedy sampling reports them at 1.
  static func measured(_ temperature: Double) -> Double { temperature == 0 ? 1 : temperature }

  /// Log-probabilities of another temperature are those of another distribution than the one that is trained.
  package func check(temperatureOf rollout: Rollout) throws(DatasetError) {
    guard let theirs = rollout.temperature, Self.measured(theirs) != Self.measured(sampling.temperature) else { return }
    throw DatasetError(
      "the completions were sampled at temperature \(JSONText.number(theirs)), and are to be learnt from at "
        + "\(JSONText.number(sampling.temperature)): a policy ratio needs one temperature")
  }
}
