import JSONValues
import Kernels
import Merging
import Modeling
import Testing

@Suite("the logits after a merge of adapters") struct LogitCheckTests {
  let pool = ThreadPool(threads: 2)

  @Test(
    "in float32 a merged model's logits are those of its base with the adapters",
    arguments: [["lora"], ["rslora"], ["dora"], ["lora", "rslora"]])
  func merged(names: [String]) throws {
    let check = try check(try terms(names))
    #expect(check.rows == 64)
    #expect(check.largestLogit > 0)
    #expect(check.largestDifference <= 1e-4)
    #expect(check.largestLogProbabilityDifference <= 1e-4)
    #expect(check.equalArgmax == 1)
  }

  @Test("factors count on both sides") func factors() throws {
    let check = try check(try terms(["lora", "rslora"], factor: 0.3))
    #expect(check.largestDifference <= 1e-4)
  }

  @Test("a model that something else was merged into is found out") func other() throws {
    let check = try check(try terms(["lora"]), against: try terms(["lora"], factor: -1))
    #expect(check.largestDifference > 1e-3)
    #expect(check.largestLogProbabilityDifference > 1e-3)
  }

  @Test("what cannot be computed beside a base is named") func obstacles() throws {
    #expect(LogitCheck.obstacle(try terms(["lora", "rslora"], factor: 0.5)) == nil)
    #expect(
      LogitCheck.obstacle(try terms(["dora"], factor: 0.5))
        == "a DoRA adapter has a factor other than 1, which is not computed without merging")
    #expect(
      LogitCheck.obstacle(try terms(["lora", "dora"])) == "a DoRA adapter is one of several, which is not computed without merging")
  }

  private func terms(_ names: [String], factor: Double = 1) throws -> [LoRAMerge.Term] {
    let configuration = try ModelDirectory.configuration(LoRAMergeTests.base)
    return try names.map {
      LoRAMerge.Term(try AdapterDirectory.load("\(LoRAMergeTests.peft)/\($0)", for: configuration), factor: factor)
    }
  }

  /// `merged`: what is made part of the model, where that is something else.
  private func check(_ terms: [LoRAMerge.Term], against merged: [LoRAMerge.Term]? = nil) throws -> LogitCheck {
    let directory = try TemporaryDirectory()
    let base = LoRAMergeTests.base
    _ = try LoRAMerge(base: base, merged ?? terms).write(.init(type: .f32), to: directory.path, pool: pool)
    return try LogitCheck(base: base, terms, merged: directory.path, pool: pool)
  }
}
