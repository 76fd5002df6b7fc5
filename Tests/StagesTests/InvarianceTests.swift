import JSONValues
import Testing

/// No digit of a score, and no byte of an answer, moves with the batch size or the number of threads.
@Suite("evaluate is invariant") struct InvarianceTests {
  @Test(
    "scores and samples are the same bytes at batch sizes 1, 7 and 64 and at 1 and 2 threads",
    arguments: ["greedy", "sampled", "multiple choice", "perplexity"])
  func batches(kind: String) throws {
    let materials = try Materials.get()
    let suite =
      switch kind {
      case "multiple choice": materials.chosen
      case "perplexity": materials.measured
      default: materials.written
      }
    let sampling: [(String, JSONValue)] = kind == "sampled" ? [("temperature", 1), ("top_k", 40), ("top_p", 0.95), ("seed", 3)] : []
    let bench = try Bench()
    var seen: Set<[String: String]> = []
    for (batch, threads) in [(1, 1), (7, 1), (64, 1), (1, 2), (7, 2), (64, 2)] {
      let outcome = try bench.run(
        "evaluate", .object(JSONObject(sampling + [("per_device_eval_batch_size", .integer(batch))])),
        inputs: [("model", [materials.model]), ("suite", [suite])], threads: threads)
      seen.insert(try outcome.digests())
    }
    #expect(seen.count == 1)
  }

  @Test("answers differ from record to record, so that equal bytes say something")
  func answers() throws {
    let materials = try Materials.get()
    let samples = try Bench().run(
      "evaluate", ["temperature": 1, "seed": 3], inputs: [("model", [materials.model]), ("suite", [materials.written])])["samples"]
    #expect(Set(try rows(of: samples).compactMap { $0["completion"]?.stringValue }).count > 10)
  }

  @Test("a record's result does not depend on the records beside it")
  func limit() throws {
    let materials = try Materials.get()
    for suite in [materials.written, materials.chosen, materials.measured] {
      let bench = try Bench()
      let inputs = [("model", [materials.model]), ("suite", [suite])]
      let all = try rows(of: bench.run("evaluate", ["temperature": 1], inputs: inputs)["samples"])
      let few = try rows(of: bench.run("evaluate", ["temperature": 1, "limit": 3], inputs: inputs)["samples"])
      #expect(few == Array(all.prefix(3)))
    }
  }
}
