import JSONValues
import Kernels
import Modeling
import Testing
import Training

/// Twenty optimizer steps against torch's AdamW with the Trainer's schedules and normalisation (`scripts/goldens`).
@Suite struct AdamWGoldenTests {
  private static let directory = String(#filePath.dropLast("TrainingTests/AdamWGoldenTests.swift".count))

  @Test(arguments: ["adamw-cosine", "adamw-linear"])
  func `losses, norms, rates and final weights agree`(name: String) throws {
    let pool = ThreadPool(threads: 2)
    let golden = try JSONValue(parsing: PositionedFile.contents(of: Self.directory + "TrainingTests/Fixtures/\(name).json"))
    let loaded = try ModelDirectory.load(Self.directory + "ModelingTests/Fixtures/tiny-llama", pool: pool)
    let model = Transformer(ModelWeights(loaded.configuration, loaded.arena), pool: pool)
    let steps = try #require(golden["steps"]?.arrayValue)
    var records: [TokenizedRecord] = []
    for batch in steps.flatMap({ $0["micro_batches"]?.arrayValue ?? [] }) {
      for record in batch.arrayValue ?? [] { records.append(try Self.record(record)) }
    }
    let recordsPerBatch = try #require(steps.first?["micro_batches"]?[0]?.arrayValue?.count)
    let settings = try Self.settings(#require(golden["settings"]), recordsPerBatch: recordsPerBatch)

    var control = TrainingControl()
    var metrics: [StepMetrics] = []
    control.onStep = { metrics.append($0) }
    _ = try TrainingRun(model, records, settings).run(control)

    #expect(metrics.count == steps.count)
    for (ours, theirs) in zip(metrics, steps) {
      let loss = try #require(theirs["loss"]?.numberValue)
      let norm = try #require(theirs["grad_norm"]?.numberValue)
      let rate = try #require(theirs["lr"]?.numberValue)
      #expect((ours.loss - loss).magnitude <= 1e-4 * loss, "loss of step \(ours.step)")
      #expect((ours.gradNorm - norm).magnitude <= 1e-3 * norm, "norm of step \(ours.step)")
      #expect((ours.learningRate - rate).magnitude <= 1e-12, "rate of step \(ours.step)")
    }
    for (name, part) in try #require(golden["final"]?.objectValue).members {
      let values = loaded.arena.view(name)
      for (index, value) in zip(part["indices"]?.arrayValue ?? [], part["values"]?.arrayValue ?? []) {
        let expected = try #require(value.numberValue)
        #expect((Double(values[try #require(index.integerValue)]) - expected).magnitude <= 1e-4 * max(1, expected.magnitude), "\(name)")
      }
    }
  }

  private static func record(_ json: JSONValue) throws -> TokenizedRecord {
    let ids = try #require(json["ids"]?.arrayValue).map { Int32($0.integerValue ?? -1) }
    return TokenizedRecord(ids: ids, trained: try #require(json["mask"]?.arrayValue).map { $0.integerValue == 1 })
  }

  private static func settings(_ json: JSONValue, recordsPerBatch: Int) throws -> TrainingSettings {
    func number(_ name: String) throws -> Double { try #require(json[name]?.numberValue, "\(name)") }
    var settings = TrainingSettings()
    settings.learningRate = try number("learning_rate")
    settings.schedule = try #require(json["lr_scheduler_type"]?.stringValue.flatMap { LearningRateSchedule.Kind(rawValue: $0) })
    settings.warmupSteps = Int(try number("warmup_steps"))
    settings.maxSteps = Int(try number("max_steps"))
    settings.weightDecay = try number("weight_decay")
    settings.beta1 = try number("adam_beta1")
    settings.beta2 = try number("adam_beta2")
    settings.epsilon = try number("adam_epsilon")
    settings.maxGradNorm = try number("max_grad_norm")
    settings.gradientAccumulationSteps = Int(try number("gradient_accumulation_steps"))
    settings.microBatch = .records(recordsPerBatch)
    settings.order = .asGiven
    return settings
  }
}
