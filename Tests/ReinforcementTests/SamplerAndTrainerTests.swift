import Datasets
import Foundation
import Generation
import Kernels
import Modeling
import Reinforcement
import Testing

/// The log-probability that a rollout reports is the one that training computes: of the same token, under softmax(logits / temperature), by
/// the training forward pass over prompt and completion.
@Suite("Sampler and trainer are one model") struct SamplerAndTrainerTests {
  struct Sampling: Sendable, CustomTestStringConvertible {
    let temperature: Double
    let topP: Double
    var testDescription: String { "temperature \(temperature), top_p \(topP)" }

    static let all = [Sampling(temperature: 1, topP: 1), Sampling(temperature: 0.7, topP: 0.9)]
  }

  static let bound = 1e-4

  @Test(
    "tiny Llama, Qwen2 and Qwen3", arguments: ["tiny-llama", "tiny-llama-untied", "tiny-qwen2", "tiny-qwen3"], Sampling.all)
  func tiny(model: String, _ sampling: Sampling) throws {
    let pool = ThreadPool(threads: 2)
    let loaded = try ModelDirectory.load(PolicyGolden.tests + "ModelingTests/Fixtures/" + model, pool: pool)
    let prompts = [5, 1, 31, 12].enumerated().map { index, length in
      let random = Philox(seed: 8, name: "prompt \(index)")
      return (0..<length).map { Int32(random.integer(UInt64($0), below: 128)) }
    }
    try compare(Models(loaded, pool), prompts, sampling, samples: 6, newTokens: 40)
  }

  @Test("SmolLM2-135M", .enabled(if: isSmolLM2Asked, "HEIRLOOM_SMOLLM2 does not name SmolLM2's GGUF file"))
  func smolLM2() throws {
    let pool = ThreadPool(threads: 2)
    let models = Models(try LoadedModel.load(try #require(ProcessInfo.processInfo.environment["HEIRLOOM_SMOLLM2"]), pool: pool), pool)
    // "The capital of France is", and its beginning.
    for sampling in Sampling.all {
      try compare(models, [[504, 3575, 282, 4649, 314], [504, 3575]], sampling, samples: 3, newTokens: 12)
    }
  }

  // MARK: - The comparison

  /// One model as it samples and as it trains.
  private struct Models {
    let packed: Transformer
    let trained: Transformer

    init(_ loaded: LoadedModel, _ pool: ThreadPool) {
      packed = Transformer(ModelWeights.packed(loaded.configuration, loaded.arena, pool: pool), pool: pool)
      trained = Transformer(ModelWeights(loaded.configuration, loaded.arena), pool: pool)
    }
  }

  private func compare(_ models: Models, _ prompts: [[Int32]], _ sampling: Sampling, samples: Int, newTokens: Int) throws {
    let codec = TextCodec(encode: { _ in [] }, decode: { _ in "" }, end: nil)
    let sampler = RolloutSampler(
      codec, sampling: SamplingSettings(temperature: sampling.temperature, topP: sampling.topP, seed: 6), maxNewTokens: newTokens,
      endTokens: Set(models.packed.configuration.eosTokens.map { Int32($0) }), sequencesAtOnce: 7)
    let asked = prompts.map { AskedPrompt(record: Record(.prompted(.text(""), completion: nil)), text: "", ids: $0) }
    var (head, logits, tokens) = (0.0, 0.0, 0)
    _ = try sampler.sample(
      models.packed, asked, numbers: Array(asked.indices), samples: samples, greedy: true,
      onFinished: { _, rollout in
        for sample in rollout.samples + [rollout.greedy].compactMap({ $0 }) {
          head = max(head, Self.largest(sample, Self.head(models.trained, rollout.promptIDs, sample.ids, sampling.temperature)))
          logits = max(logits, Self.largest(sample, Self.logits(models.trained, rollout.promptIDs, sample.ids, sampling.temperature)))
          tokens += sample.ids.count
        }
      })
    #expect(tokens > prompts.count * samples)
    #expect(head <= Self.bound, "the head that training uses, over \(tokens) tokens")
    #expect(logits <= Self.bound, "log-softmax of the logits, over \(tokens) tokens")
  }

  private static func largest(_ sample: Rollout.Sample, _ values: [Double]) -> Double {
    #expect(sample.logProbabilities.count == values.count)
    return zip(sample.logProbabilities, values).map { abs(Double($0) - $1) }.max() ?? 0
  }

  /// As a policy loss gets them.
  private static func head(_ model: Transformer, _ prompt: [Int32], _ completion: [Int32], _ temperature: Double) -> [Double] {
    var batch = TokenBatch()
    var targets = Targets()
    _ = targets.append(prompt: prompt, completions: [completion], to: &batch)
    let activations = Activations(model.configuration, tokens: batch.count, targets: targets.count, purpose: .training)
    return model.logProbabilities(batch, targets, activations, temperature: Float(temperature)).map { Double($0) }
  }

  /// From the definition, in Double.
  private static func logits(_ model: Transformer, _ prompt: [Int32], _ completion: [Int32], _ temperature: Double) -> [Double] {
    let batch = TokenBatch([prompt + completion])
    let activations = Activations(model.configuration, tokens: batch.count, targets: batch.count, purpose: .training)
    model.forward(batch, activations)
    let vocabulary = model.configuration.vocabularySize
    var values: [Double] = []
    model.logits(after: completion.indices.map { Int32(prompt.count + $0 - 1) }, activations) { range, logits in
      for index in range {
        let row = (0..<vocabulary).map { Double(logits[(index - range.lowerBound) * vocabulary + $0]) / temperature }
        let top = row.max() ?? 0
        values.append(row[Int(completion[index])] - top - log(row.reduce(0) { $0 + exp($1 - top) }))
      }
    }
    return values
  }
}

private let isSmolLM2Asked =
  ProcessInfo.processInfo.environment["HEIRLOOM_SMOLLM2"] != nil || ProcessInfo.processInfo.environment["CI"] == "true"
