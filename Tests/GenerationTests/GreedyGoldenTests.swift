import Generation
import JSONValues
import Kernels
import Modeling
import Testing

/// Greedy continuations against those of transformers (`scripts/goldens`).
@Suite struct GreedyGoldenTests {
  private static let fixtures = String(#filePath.dropLast("GenerationTests/GreedyGoldenTests.swift".count)) + "ModelingTests/Fixtures/"

  @Test(arguments: ["tiny-llama", "tiny-llama-untied", "tiny-qwen2", "tiny-qwen3"], [1, 3])
  func `thirty-two greedy tokens are the same`(name: String, batchSize: Int) throws {
    let pool = ThreadPool(threads: 2)
    let loaded = try ModelDirectory.load(Self.fixtures + name, pool: pool)
    let golden = try JSONValue(parsing: PositionedFile.contents(of: Self.fixtures + name + "/golden.json"))
    let cases = try #require(golden["greedy"]?.arrayValue)
    let model = Transformer(ModelWeights.packed(loaded.configuration, loaded.arena, pool: pool), pool: pool)
    let generator = Generator(model, sampling: .greedy, limits: GenerationLimits(maxNewTokens: 32), batchSize: batchSize)
    let completions = try #require(try generator.generate(cases.map { Self.ids($0["prompt"]) }))
    for (ours, theirs) in zip(completions, cases) {
      #expect(ours[0].tokens == Self.ids(theirs["continuation"]))
    }
  }

  private static func ids(_ json: JSONValue?) -> [Int32] { (json?.arrayValue ?? []).map { Int32($0.integerValue ?? -1) } }
}
