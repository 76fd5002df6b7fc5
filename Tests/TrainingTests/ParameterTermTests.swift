import Kernels
import Modeling
import Testing
import Training

/// Each term against its formula in Double, and its gradient against differences of it.
@Suite struct ParameterTermTests {
  private let pool = ThreadPool(threads: 2)
  private let layout = TinyTraining(threads: 1).arena.layout

  /// Normal numbers where the layout has tensors.
  private func arena(_ name: String, _ value: (Double) -> Double = { $0 }) -> ParameterArena {
    let arena = ParameterArena(layout)
    for entry in layout.entries {
      let random = Philox(seed: 8, name: name + entry.name)
      for i in 0..<entry.count { arena.view(entry.name)[i] = Float(value(random.normal(UInt64(i)))) }
    }
    return arena
  }

  private func doubles(_ arena: ParameterArena) -> [Double] { arena.buffer.elements.map(Double.init) }

  /// Applies the term over everything, and holds value and gradient to `formula` at some of the places in `at`, or anywhere.
  private func expect(
    _ term: any ParameterTerm, _ parameters: ParameterArena, at places: [Int]? = nil, is formula: ([Double]) -> Double,
    location: SourceLocation = #_sourceLocation
  ) {
    let gradients = arena("gradients")
    let before = doubles(gradients)
    let value = term.apply(pool, TrainedPart.all(parameters, gradients))
    var x = doubles(parameters)
    let wanted = formula(x)
    #expect((value - wanted).magnitude <= 1e-5 * wanted.magnitude, "\(value), \(wanted)", sourceLocation: location)
    for i in places ?? Array(stride(from: 3, to: x.count, by: max(1, x.count / 23))) {
      let kept = x[i]
      let step = 1e-4
      x[i] = kept + step
      let above = formula(x)
      x[i] = kept - step
      let measured = (above - formula(x)) / (2 * step)
      x[i] = kept
      let found = Double(gradients.pointer[i]) - before[i]
      #expect((found - measured).magnitude <= 1e-3 * max(1e-3, measured.magnitude), "at \(i)", sourceLocation: location)
    }
  }

  @Test(arguments: AnchorTerm.Reduction.allCases) func `L2 to an anchor`(reduction: AnchorTerm.Reduction) {
    let (parameters, anchor) = (arena("parameters"), arena("anchor"))
    let a = doubles(anchor)
    let count = reduction == .sum ? 1 : Double(layout.parameterCount)
    expect(AnchorTerm(lambda: 0.3, reduction: reduction, anchor: anchor, trained: layout.parameterCount), parameters) { x in
      0.3 * zip(x, a).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / count
    }
  }

  @Test(arguments: 1...4) func `EWC over several tasks is the sum of the tasks`(tasks: Int) {
    let parameters = arena("parameters")
    let consolidated = ConsolidatedTasks(layout)
    var all: [(fisher: [Double], at: [Double])] = []
    for task in 0..<tasks {
      // Some weights matter to no task, some to one alone.
      let fisher = arena("fisher \(task)") { $0 < Double(task) - 1 ? 0 : $0 * $0 }
      let model = arena("model \(task)")
      consolidated.add(fisher: fisher, at: model)
      all.append((doubles(fisher), doubles(model)))
    }
    expect(ConsolidationTerm(lambda: 2.5, consolidated), parameters) { x in
      all.reduce(0) { sum, task in
        sum + 1.25 * x.indices.reduce(0) { $0 + task.fisher[$1] * (x[$1] - task.at[$1]) * (x[$1] - task.at[$1]) }
      }
    }
  }

  @Test func `CPO holds what past tasks moved most, and nothing else`() {
    let (parameters, reference) = (arena("parameters"), arena("reference"))
    let models = (0..<3).map { arena("past \($0)") }
    let moved = MovedWeights(layout)
    var marked: Set<Int> = []
    for (before, after) in zip(models, models.dropFirst()) {
      moved.add(before: before, after: after, share: 0.1)
      let order = layout.entries.flatMap(\.range).sorted {
        (after.pointer[$0] - before.pointer[$0]).magnitude > (after.pointer[$1] - before.pointer[$1]).magnitude
      }
      marked.formUnion(order.prefix(layout.parameterCount / 10))
    }
    #expect(moved.count == marked.count)
    let r = doubles(reference)
    let places = marked.sorted().prefix(10) + Set(0..<50).subtracting(marked).sorted()
    expect(MovedWeightsTerm(lambda: 7, reference: reference, moved), parameters, at: Array(places)) { x in
      7 * marked.reduce(0) { $0 + (x[$1] - r[$1]).magnitude } / Double(marked.count)
    }
  }

  @Test func `CPO marks no more than its share among weights that moved alike, and none that stayed`() {
    let (before, after) = (ParameterArena(layout), ParameterArena(layout))
    for i in layout.entries[0].range { after.pointer[i] = 0.5 }
    let moved = MovedWeights(layout)
    moved.add(before: before, after: after, share: 0.01)
    #expect(moved.count == layout.parameterCount / 100)
    moved.add(before: before, after: after, share: 1)
    #expect(moved.count == layout.entries[0].count)
    let none = MovedWeights(layout)
    none.add(before: before, after: before, share: 0.5)
    #expect(none.count == 0)
    #expect(MovedWeightsTerm(lambda: 1, reference: before, none).apply(pool, TrainedPart.all(after, before)) == 0)
  }

  @Test func `terms look only at what trains`() {
    let (parameters, anchor) = (arena("parameters"), arena("anchor"))
    let entry = layout.entries[2]
    let gradients = ParameterArena(layout.selecting { $0.name == entry.name })
    let value = AnchorTerm(lambda: 1, reduction: .mean, anchor: anchor, trained: entry.count)
      .apply(pool, TrainedPart.all(parameters, gradients))
    let squares = entry.range.reduce(0.0) { sum, i in
      let d = Double(parameters.pointer[i]) - Double(anchor.pointer[i])
      return sum + d * d
    }
    #expect((value - squares / Double(entry.count)).magnitude < 1e-5 * value)
    #expect(gradients.layout.entries.map(\.name) == [entry.name])
  }

  @Test func `O-LoRA looks at the A of adapters alone`() {
    // The matrices of a tiny model stand in for an adapter's: only names that end in lora_A.weight count.
    let (parameters, past) = (arena("parameters"), arena("past"))
    let term = OrthogonalityTerm(lambda: 1, adapter: layout, past: [past])
    #expect(term.apply(pool, TrainedPart.all(parameters, ParameterArena(layout))) == 0)
  }

  @Test func `O-LoRA's gradient is the slope of its value`() {
    let parameters = arena("parameters")
    let past = arena("past")
    let entry = layout.entries[0]
    let (rank, width, rows) = (3, entry.shape[1], 5)
    let module = OrthogonalityTerm.Module(
      offset: entry.offset, rank: rank, width: width,
      past: Array(UnsafeBufferPointer(start: past.view(entry.name), count: rows * width)))
    let p = doubles(past)
    expect(OrthogonalityTerm(lambda: 0.4, [module]), parameters, at: Array(stride(from: 0, to: 60 + rank * width, by: 7))) { x in
      var sum = 0.0
      for a in 0..<rank {
        for b in 0..<rows {
          sum += (0..<width).reduce(0) { $0 + x[entry.offset + a * width + $1] * p[entry.offset + b * width + $1] }.magnitude
        }
      }
      return 0.4 * sum
    }
  }

  @Test func `a strong anchor keeps the weights, with any number of threads and after a stop to the same bytes`() throws {
    func run(_ threads: Int, lambda: Double, _ control: TrainingControl = TrainingControl()) throws -> (TinyTraining, [StepMetrics]) {
      let tiny = TinyTraining(threads: threads)
      let anchor = ParameterArena(tiny.arena.layout)
      Transformer.initialize(anchor, seed: 1, pool: pool)
      var goal = TrainingGoal()
      if lambda > 0 { goal.terms = [AnchorTerm(lambda: lambda, reduction: .sum, anchor: anchor, trained: 1)] }
      var metrics: [StepMetrics] = []
      var control = control
      control.onStep = { metrics.append($0) }
      _ = try tiny.run(control, goal)
      return (tiny, metrics)
    }
    let start = TinyTraining().parameters
    func distance(_ tiny: TinyTraining) -> Double { zip(tiny.parameters, start).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) } }
    let (free, _) = try run(2, lambda: 0)
    let (held, metrics) = try run(2, lambda: 10)
    #expect(distance(held) < 0.5 * distance(free))
    #expect(metrics.map { $0.more.map(\.name) } == [[String]](repeating: ["loss/l2"], count: 9))
    #expect(metrics[0].more[0].value == 0 && metrics[8].more[0].value > 0)
    #expect(try run(1, lambda: 10).0.parameters == held.parameters)

    let file = TemporaryPath()
    var control = TrainingControl()
    control.checkpointPath = file.path
    var asked = 0
    control.shouldStop = {
      asked += 1
      return asked > 7
    }
    _ = try run(2, lambda: 10, control)
    control.shouldStop = { false }
    #expect(try run(2, lambda: 10, control).0.parameters == held.parameters)
  }
}
