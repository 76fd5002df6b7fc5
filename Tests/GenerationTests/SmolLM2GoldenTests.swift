import Generation
import Glibc
import JSONValues
import Kernels
import Modeling
import Testing

/// SmolLM2-135M against transformers, where its GGUF file is at hand: HEIRLOOM_SMOLLM2 names it. CI must have it.
@Suite(.enabled(if: isSmolLM2Asked, "HEIRLOOM_SMOLLM2 does not name SmolLM2's GGUF file"))
struct SmolLM2GoldenTests {
  private static let fixture =
    String(#filePath.dropLast("GenerationTests/SmolLM2GoldenTests.swift".count)) + "ModelingTests/Fixtures/smollm2.json"

  @Test func `logits, losses and greedy continuations agree`() throws {
    let pool = ThreadPool(threads: 2)
    let path = try #require(getenv("HEIRLOOM_SMOLLM2").map { String(cString: $0) })
    let loaded = try LoadedModel.load(path, pool: pool)
    let model = Transformer(ModelWeights.packed(loaded.configuration, loaded.arena, pool: pool, release: true), pool: pool)
    let golden = try JSONValue(parsing: PositionedFile.contents(of: Self.fixture))
    let prompts = try #require(golden["prompts"]?.arrayValue)
    for prompt in prompts { try compareLogits(prompt, model) }

    let generator = Generator(model, sampling: .greedy, limits: GenerationLimits(maxNewTokens: 32), batchSize: prompts.count)
    let completions = try #require(try generator.generate(prompts.map { Self.ids($0["ids"]) }))
    for (ours, theirs) in zip(completions, prompts) { #expect(ours[0].tokens == Self.ids(theirs["continuation"])) }
  }

  private func compareLogits(_ prompt: JSONValue, _ model: Transformer) throws {
    let ids = Self.ids(prompt["ids"])
    let batch = TokenBatch([ids])
    let rows = try #require(prompt["rows"]?.arrayValue)
    let activations = Activations(model.configuration, tokens: ids.count, targets: ids.count, purpose: .inference)
    let losses = model.logProbabilities(batch, .all(of: batch), activations)
    let expected = try #require(prompt["mean_loss"]?.numberValue)
    let loss = -losses.reduce(0.0) { $0 + Double($1) } / Double(losses.count)
    #expect((loss - expected).magnitude <= 1e-4 * expected)

    let positions = rows.map { Int32($0["position"]?.integerValue ?? 0) }
    let vocabulary = model.configuration.vocabularySize
    model.logits(after: positions, activations) { range, logits in
      for index in range {
        let row = rows[index]
        let values = logits + (index - range.lowerBound) * vocabulary
        for (ids, numbers) in [("top_ids", "top_values"), ("sample_ids", "sample_values")] {
          for (id, value) in zip(row[ids]?.arrayValue ?? [], row[numbers]?.arrayValue ?? []) {
            let difference = (Double(values[id.integerValue ?? 0]) - (value.numberValue ?? .nan)).magnitude
            #expect(difference <= 2e-4 * 20, "position \(positions[index])")
          }
        }
      }
    }
  }

  private static func ids(_ json: JSONValue?) -> [Int32] { (json?.arrayValue ?? []).map { Int32($0.integerValue ?? -1) } }
}

private let isSmolLM2Asked = getenv("HEIRLOOM_SMOLLM2") != nil || getenv("CI").map { String(cString: $0) } == "true"
