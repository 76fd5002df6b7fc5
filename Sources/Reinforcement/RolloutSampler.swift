import Datasets
import Generation
import Modeling

/// A record ready to be asked.
package struct AskedPrompt: Sendable, Equatable {
  package let record: Record
  package let text: String
  package let ids: [Int32]
  /// Where the record stands, for errors: `prompts.jsonl:31`.
  package let place: String?

  package init(record: Record, text: String, ids: [Int32], place: String? = nil) {
    self.record = record
    self.text = text
    self.ids = ids
    self.place = place
  }
}

/// Lets a model answer prompts: the `rollout` stage and reinforcement fine-tuning sample through it. Knows nothing of rewards.
package struct RolloutSampler {
  package let codec: TextCodec
  package var sampling: SamplingSettings
  package var maxNewTokens: Int
  package var minNewTokens = 0
  /// Texts that end a completion; what follows is cut off.
  package var stop: [String] = []
  /// Tokens that end a completion.
  package var endTokens: Set<Int32>
  /// Sequences decoded at once; moves no byte.
  package var sequencesAtOnce: Int
  /// Kept from one step of training to the next.
  private let memory = GenerationMemory()

  package init(_ codec: TextCodec, sampling: SamplingSettings, maxNewTokens: Int, endTokens: Set<Int32>, sequencesAtOnce: Int) {
    self.codec = codec
    self.sampling = sampling
    self.maxNewTokens = maxNewTokens
    self.endTokens = endTokens
    self.sequencesAtOnce = sequencesAtOnce
  }

  /// `samples` completions of each prompt, and a greedy one where asked; without rewards. A rollout is handed over as soon as it is whole,
  /// with its place in `prompts`. `numbers` name the prompts' random draws. False when `progress` stopped it.
  package func sample(
    _ model: Transformer, _ prompts: [AskedPrompt], numbers: [Int], samples: Int, greedy: Bool,
    progress: (Generator.Progress) -> Bool = { _ in true }, onFinished: (Int, Rollout) -> Void
  ) throws(ModelError) -> Bool {
    let limits = GenerationLimits(
      maxNewTokens: maxNewTokens, minNewTokens: minNewTokens, stopTokens: endTokens,
      makeStopRule: StopTexts.rule(stop, codec.decode))
    let generator = Generator(model, sampling: sampling, limits: limits, batchSize: sequencesAtOnce, memory: memory)
    return try generator.generate(
      prompts.map(\.ids), samples: samples, greedy: greedy, numbers: numbers, progress: progress,
      onFinished: { index, completions, greedy in
        let prompt = prompts[index]
        onFinished(
          index,
          Rollout(
            record: prompt.record, promptText: prompt.text, promptIDs: prompt.ids, temperature: sampling.temperature,
            samples: completions.map(sample), greedy: greedy.map(sample)))
      })
  }

  private func sample(_ completion: Completion) -> Rollout.Sample {
    Rollout.Sample(
      text: text(completion), ids: completion.tokens, logProbabilities: completion.logProbabilities, finish: completion.finish,
      rewards: nil)
  }

  /// Without the end token, and without what stands from a stop text on.
  private func text(_ completion: Completion) -> String {
    let isEnded = completion.tokens.last.map(endTokens.contains) ?? false
    return StopTexts.cut(codec.decode(isEnded ? Array(completion.tokens.dropLast()) : completion.tokens), at: stop)
  }
}

extension Rollout {
  /// False where the model that sampled gave something that is no probability: its weights are spoilt.
  package var isFinite: Bool { (samples + [greedy].compactMap { $0 }).allSatisfy { $0.logProbabilities.allSatisfy(\.isFinite) } }
}
