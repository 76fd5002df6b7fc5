import JSONValues
import Testing

@Suite("Token scores and drift") struct ComparisonStageTests {
  @Test("every target token has a probability, a rank and an entropy under each model")
  func tokens() throws {
    let bench = try Bench()
    let m = try Materials.get()
    let outcome = try bench.run("score/tokens", ["bins": 10], inputs: MergingMaterials.inputs("score/tokens", ""))
    let report = try json(of: outcome["report"])
    let records = try rows(of: outcome["tokens"])
    let count = try #require(report["tokens"]?.integerValue)
    #expect(records.count == 48)
    #expect(records.reduce(0) { $0 + ($1["ids"]?.arrayValue?.count ?? 0) } == count)

    let models = try #require(report["models"]?.arrayValue)
    #expect(models.count == 2)
    for (index, model) in models.enumerated() {
      let p = try records.flatMap { try numbers($0["models"]?[index]?["p"]) }
      let ranks = try records.flatMap { try numbers($0["models"]?[index]?["rank"]) }
      #expect(p.count == count)
      #expect(p.allSatisfy { $0 > 0 && $0 <= 1 })
      // The first of a vocabulary's tokens has at least its share, the second at most half.
      #expect(zip(p, ranks).allSatisfy { $1 >= 1 && $0 <= 1 / $1 + 1e-6 })
      #expect(try numbers(model["histogram"]).reduce(0, +) == Double(count))
      #expect(model["hard"]?["count"]?.integerValue == p.filter { $0 <= 0.2 }.count)
      #expect(abs((model["mean_p"]?.numberValue ?? 0) - p.reduce(0, +) / Double(count)) < 1e-12)
      let sorted = p.sorted()
      #expect(model["median_p"]?.numberValue == (sorted[(count - 1) / 2] + sorted[count / 2]) / 2)
      let hardest = try #require(model["hardest"]?[0])
      #expect(hardest["p"]?.numberValue == sorted[0])
      #expect(hardest["text"]?.stringValue?.isEmpty == false)
    }
    // Training on these records makes them likelier.
    #expect(try #require(models[1]["loss"]?.numberValue) < #require(models[0]["loss"]?.numberValue))
    // The loss is that of a first training step without a rate.
    let step = try bench.run(
      "train/sft", ["learning_rate": 1e-12, "max_steps": 1, "per_device_train_batch_size": 48],
      inputs: [("model", [m.model]), ("data", [m.tokens])])
    let loss = try numbers(try json(of: step["log"])["loss"])[0]
    #expect(abs(loss - (models[0]["loss"]?.numberValue ?? 0)) < 1e-5)
  }

  @Test("a model has not drifted from itself")
  func none() throws {
    let bench = try Bench()
    let m = try Materials.get()
    let outcome = try bench.run(
      "score/drift", inputs: [("base", [m.model]), ("model", [m.model]), ("tokens", [m.tokens]), ("corpus", [m.measured])])
    let metrics = try #require(try json(of: outcome["report"])["metrics"]?.objectValue)
    for name in ["distance", "relative_distance", "changed_share", "largest_change", "kl", "kl_largest", "bits_per_byte_change"] {
      #expect(metrics[name]?.numberValue == 0, "\(name)")
    }
  }

  @Test("a trained model has, and its parts add up")
  func some() throws {
    let bench = try Bench()
    let outcome = try bench.run("score/drift", inputs: MergingMaterials.inputs("score/drift", ""))
    let report = try json(of: outcome["report"])
    let distance = try #require(report["metrics"]?["distance"]?.numberValue)
    func squares(_ values: [JSONValue]) -> Double {
      let distances = values.compactMap { $0["distance"]?.numberValue }
      return distances.reduce(0) { $0 + $1 * $1 }
    }
    for key in ["parts", "tensors"] {
      let all = squares(try #require(report[key]?.objectValue).members.map(\.value))
      #expect(abs(all.squareRoot() - distance) < 1e-9 * distance)
    }
    #expect(try #require(report["metrics"]?["kl"]?.numberValue) > 0)
    #expect(report["layers"]?.arrayValue?.count == 2)
    #expect(report["kl_per_record"]?.arrayValue?.count == 48)
  }

  @Test("a corpus that is no text to be measured is refused")
  func corpus() throws {
    let bench = try Bench()
    let m = try Materials.get()
    let message = bench.failure("score/drift", inputs: [("base", [m.model]), ("model", [m.tuned]), ("corpus", [m.written])])
    #expect(message?.hasSuffix("is of kind generation; bits per byte want one of kind perplexity") == true, "\(message ?? "")")
  }
}
