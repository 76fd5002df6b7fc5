import JSONValues
import Kernels
import Modeling
import Testing
import Training

/// Losses and terms, and their gradients, against torch autograd (`scripts/goldens/objectives.py`): whole steps of the loop.
@Suite struct ObjectiveGoldenTests {
  private static let directory = String(#filePath.dropLast("TrainingTests/ObjectiveGoldenTests.swift".count))
  private static let bar = 1e-3

  private let pool = ThreadPool(threads: 2)
  private let golden: JSONValue
  private let loaded: LoadedModel
  private let records: [TokenizedRecord]

  init() throws {
    golden = try JSONValue(parsing: PositionedFile.contents(of: Self.directory + "TrainingTests/Fixtures/objectives.json"))
    loaded = try ModelDirectory.load(Self.directory + "ModelingTests/Fixtures/tiny-llama", pool: pool)
    records = try #require(golden["micro_batches"]?.arrayValue).flatMap { $0.arrayValue ?? [] }.map { record in
      let ids = try #require(record["ids"]?.arrayValue).map { Int32($0.integerValue ?? -1) }
      let weight = Float(try #require(record["weight"]?.numberValue))
      return TokenizedRecord(
        ids: ids, trained: try #require(record["mask"]?.arrayValue).map { $0.integerValue == 1 },
        weights: [Float](repeating: weight, count: ids.count))
    }
  }

  /// The model's weights times a factor.
  private func scaled(_ factor: Double) -> ParameterArena {
    made { Float(Double($0) * factor) }
  }

  private func made(_ value: (Float) -> Float) -> ParameterArena {
    let arena = ParameterArena(loaded.arena.layout)
    for i in 0..<arena.count { arena.pointer[i] = value(loaded.arena.pointer[i]) }
    return arena
  }

  private func goal(_ json: JSONValue) throws -> TrainingGoal {
    let anchor = scaled(try #require(golden["anchor"]?.numberValue))
    let teacher = scaled(try #require(golden["teacher"]?.numberValue))
    func number(_ name: String) -> Double? { json[name]?.numberValue }
    func model(_ arena: ParameterArena) -> Transformer { Transformer(ModelWeights(loaded.configuration, arena), pool: pool) }
    var goal = TrainingGoal()
    switch json["loss"]?.stringValue {
    case "talr":
      let median = Objective.Temperature.median(json["scope"]?.stringValue == "step" ? .step : .microBatch)
      goal.objective = .talr(number("tau").map { .fixed($0) } ?? median, floor: number("floor") ?? 0.01)
    case "dft": goal.objective = .dft
    case "eaft": goal.objective = .eaft(alpha: number("alpha") ?? 1)
    case "flow": goal.objective = .flow
    default: break
    }
    if let beta = number("kl") { goal.distributions.append(.kl(beta: beta, to: model(anchor))) }
    if let lambda = number("distill") {
      goal.distributions.append(
        .distillation(lambda: lambda, temperature: try #require(number("temperature")), from: model(teacher)))
    }
    if let lambda = number("l2") {
      goal.terms.append(
        AnchorTerm(
          lambda: lambda, reduction: json["reduction"]?.stringValue == "mean" ? .mean : .sum, anchor: anchor,
          trained: anchor.layout.parameterCount))
    }
    if let lambda = number("ewc") {
      let tasks = ConsolidatedTasks(anchor.layout)
      tasks.add(fisher: made { $0 * $0 }, at: anchor)
      if json["tasks"]?.integerValue == 2 { tasks.add(fisher: made { $0.magnitude }, at: teacher) }
      goal.terms.append(ConsolidationTerm(lambda: lambda, tasks))
    }
    if let lambda = number("cpo") {
      let moved = MovedWeights(anchor.layout)
      moved.add(before: anchor, after: loaded.arena, share: try #require(number("share")))
      goal.terms.append(MovedWeightsTerm(lambda: lambda, reference: anchor, moved))
    }
    return goal
  }

  @Test(arguments: 0..<18) func `a step's loss, terms and gradients agree`(number: Int) throws {
    let wanted = try #require(golden["cases"]?[number])
    let json = try #require(wanted["case"])
    var goal = try goal(json)
    let spy = GradientSpy(loaded.arena.layout)
    goal.terms.append(spy)
    var settings = TrainingSettings()
    settings.maxSteps = 1
    settings.microBatch = .records(3)
    settings.gradientAccumulationSteps = 2
    settings.order = .asGiven
    // Weights of records are FLOW's alone.
    let records = goal.objective == .flow ? records : records.map { TokenizedRecord(ids: $0.ids, trained: $0.trained) }
    var metrics: [StepMetrics] = []
    var control = TrainingControl()
    control.onStep = { metrics.append($0) }
    let model = Transformer(ModelWeights(loaded.configuration, loaded.arena), pool: pool)
    _ = try TrainingRun(model, records, settings, goal).run(control)

    let step = try #require(metrics.first)
    try expectClose(step.loss, wanted["value"], "loss of \(json)")
    for name in ["nll", "mean_weight", "tau"] {
      if let value = wanted[name] { try expectClose(#require(step.more.first { $0.name == name }).value, value, "\(name) of \(json)") }
    }
    for (name, value) in try #require(wanted["terms"]?.objectValue).members {
      try expectClose(#require(step.more.first { $0.name == "loss/\(name)" }).value, value, "\(name) of \(json)")
    }
    try expectGradients(spy.seen, wanted, "\(json)")
  }

  @Test func `the empirical Fisher agrees`() throws {
    let estimate = try FisherEstimate(
      Transformer(ModelWeights(loaded.configuration, loaded.arena), pool: pool), records, labels: .data)
    for _ in records { try estimate.step() }
    try expectGradients(estimate.finish(), #require(golden["fisher"]), "the Fisher")
  }

  @Test func `the term of O-LoRA agrees`() throws {
    let json = try #require(golden["o_lora"])
    func numbers(_ name: String) throws -> [Float] {
      try #require(json[name]?.arrayValue).flatMap { $0.arrayValue ?? [] }.map { Float($0.numberValue ?? .nan) }
    }
    let a = try numbers("a")
    let (parameters, gradients) = (FloatBuffer(count: a.count), FloatBuffer(count: a.count))
    for (i, value) in a.enumerated() { parameters.pointer[i] = value }
    let term = OrthogonalityTerm(
      lambda: try #require(json["lambda"]?.numberValue), [.init(offset: 0, rank: 2, width: 6, past: try numbers("past"))])
    let part = TrainedPart(offset: 0, count: a.count, isDecayed: true, parameters: parameters.pointer, gradients: gradients.pointer)
    try expectClose(term.apply(pool, [part]), json["value"], "value")
    for (i, value) in try numbers("gradient").enumerated() { #expect((gradients.pointer[i] - value).magnitude < 1e-5) }
  }

  private func expectClose(_ found: Double, _ wanted: JSONValue?, _ what: String) throws {
    let wanted = try #require(wanted?.numberValue)
    #expect((found - wanted).magnitude <= Self.bar * wanted.magnitude, "\(what): \(found), \(wanted)")
  }

  /// Norm and projection of each tensor.
  private func expectGradients(_ arena: ParameterArena, _ wanted: JSONValue, _ what: String) throws {
    let names = try #require(golden["tensors"]?.arrayValue)
    for (index, name) in names.enumerated() {
      let entry = try #require(arena.layout[name.stringValue ?? ""])
      var (squares, projection) = (0.0, 0.0)
      for i in 0..<entry.count {
        let value = Double(arena.pointer[entry.offset + i])
        squares += value * value
        let hash = UInt32(truncatingIfNeeded: i &* 2_654_435_761)
        projection += hash >> 15 & 1 == 0 ? value : -value
      }
      let norm = try #require(wanted["norms"]?[index]?.numberValue)
      let along = try #require(wanted["projections"]?[index]?.numberValue)
      #expect((squares.squareRoot() - norm).magnitude <= Self.bar * norm, "norm of \(entry.name) in \(what)")
      #expect((projection - along).magnitude <= Self.bar * max(norm, along.magnitude), "projection of \(entry.name) in \(what)")
    }
  }
}

/// Adds nothing, and keeps the gradient that it sees: the one that is clipped next.
final class GradientSpy: ParameterTerm, @unchecked Sendable {
  let name = "spy"
  let identity = "spy"
  let seen: ParameterArena

  init(_ layout: ParameterLayout) { seen = ParameterArena(layout) }

  func apply(_ pool: ThreadPool, _ parts: [TrainedPart]) -> Double {
    for part in parts { (seen.pointer + part.offset).update(from: part.gradients, count: part.count) }
    return 0
  }
}
