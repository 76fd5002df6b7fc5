import Datasets
import Generation
import Modeling
import Reinforcement

/// How completions are drawn: what `rollout` and `train/rft` share.
struct SamplingParameters: Decodable, Sendable {
  let numGenerations: Int
  let temperature: Double
  let topP: Double
  let topK: Int
  let minP: Double
  let minCompletionLength: Int
  let stop: [String]
  let seed: UInt64
  let maxNumSeqs: Int

  var settings: SamplingSettings { SamplingSettings(temperature: temperature, topK: topK, topP: topP, minP: minP, seed: seed) }
}

extension RolloutSampler {
  init(_ codec: TextCodec, _ prompting: PromptParameters, _ sampling: SamplingParameters, _ configuration: ModelConfiguration) {
    self.init(
      codec, sampling: sampling.settings, maxNewTokens: prompting.maxCompletionLength, endTokens: configuration.endTokens(codec),
      sequencesAtOnce: sampling.maxNumSeqs)
    minNewTokens = sampling.minCompletionLength
    stop = sampling.stop
  }
}
