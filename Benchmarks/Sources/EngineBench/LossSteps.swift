import Glibc
import JSONValues
import Kernels
import Modeling
import Training

/// What each loss and term costs over plain fine-tuning: optimizer steps of the training loop itself, the variants in turn, round after
/// round, so that what else the machine does falls on all of them alike.
struct LossSteps {
  /// `nll` first; its time is what the others are held against.
  static let variants = ["nll", "talr", "talr-step", "dft", "eaft", "flow", "l2", "ewc", "cpo", "kl", "distill"]

  let configuration: ModelConfiguration
  let arena: ParameterArena
  let pool: ThreadPool
  let batch: Int
  let length: Int
  let steps: Int
  /// Tokens of a record that are no targets.
  let prompt: Int
  let accumulation: Int

  init(_ configuration: ModelConfiguration, _ arena: ParameterArena, _ pool: ThreadPool, _ arguments: Arguments) {
    self.configuration = configuration
    self.arena = arena
    self.pool = pool
    batch = arguments.count("batch", 4)
    length = arguments.count("length", 256)
    steps = arguments.count("steps", 3)
    prompt = arguments.count("prompt", 0)
    accumulation = arguments.count("accumulation", 1)
  }

  /// Seconds of a step: on the clock, and of the processor.
  struct Time {
    let clock: Double
    let processor: Double
  }

  /// The median step, after a first one, which touches all memory.
  func measure(_ variant: String) throws -> Time {
    let ids = drawn(batch * accumulation, length, configuration.vocabularySize)
    let records = ids.map { ids in
      TokenizedRecord(
        ids: ids, trained: ids.indices.map { $0 > prompt }, weights: variant == "flow" ? ids.map { _ in 0.5 } : nil)
    }
    var settings = TrainingSettings()
    settings.microBatch = .records(batch)
    settings.gradientAccumulationSteps = accumulation
    settings.maxSteps = steps + 1
    // The weights stay as they are: every variant and round begins with the same.
    settings.learningRate = 1e-30
    let run = try TrainingRun(Transformer(ModelWeights(configuration, arena), pool: pool), records, settings, goal(variant))
    var times: [Time] = []
    var start = (clock: seconds(), processor: seconds(CLOCK_PROCESS_CPUTIME_ID))
    var control = TrainingControl()
    control.onStep = { metrics in
      let now = (clock: seconds(), processor: seconds(CLOCK_PROCESS_CPUTIME_ID))
      if metrics.step > 1 { times.append(Time(clock: now.clock - start.clock, processor: now.processor - start.processor)) }
      start = now
    }
    _ = try run.run(control)
    return Time(clock: Self.median(times.map(\.clock)), processor: Self.median(times.map(\.processor)))
  }

  private func goal(_ variant: String) -> TrainingGoal {
    var goal = TrainingGoal()
    switch variant {
    case "talr": goal.objective = .talr()
    case "talr-step": goal.objective = .talr(.median(.step))
    case "dft": goal.objective = .dft
    case "eaft": goal.objective = .eaft()
    case "flow": goal.objective = .flow
    case "l2": goal.terms = [AnchorTerm(lambda: 0.1, reduction: .sum, anchor: copy(), trained: arena.layout.parameterCount)]
    case "ewc":
      let tasks = ConsolidatedTasks(arena.layout)
      tasks.add(fisher: copy { $0.magnitude }, at: arena)
      goal.terms = [ConsolidationTerm(lambda: 0.1, tasks)]
    case "cpo":
      let moved = MovedWeights(arena.layout)
      moved.add(before: ParameterArena(arena.layout), after: arena, share: 0.1)
      goal.terms = [MovedWeightsTerm(lambda: 0.1, reference: copy(), moved)]
    case "kl": goal.distributions = [.kl(beta: 0.1, to: other())]
    case "distill": goal.distributions = [.distillation(lambda: 0.1, temperature: 2, from: other())]
    default: break
    }
    return goal
  }

  private func copy(_ change: (Float) -> Float = { $0 }) -> ParameterArena {
    let copy = ParameterArena(arena.layout)
    for i in 0..<arena.count { copy.pointer[i] = change(arena.pointer[i]) }
    return copy
  }

  private func other() -> Transformer { Transformer(ModelWeights(configuration, copy()), pool: pool) }

  /// One JSON line a variant: the median step, and the medians over the rounds of its times over plain fine-tuning's of the same round.
  /// Where other programs run, the processor's time says more, and with one thread no waiting is in it.
  static func run(_ bench: LossSteps, variants: [String], rounds: Int) throws {
    var times: [String: [Time]] = [:]
    for _ in 0..<rounds {
      for variant in variants { times[variant, default: []].append(try bench.measure(variant)) }
    }
    for variant in variants {
      let pairs = zip(times[variant] ?? [], times["nll"] ?? [])
      let own = (times[variant] ?? []).map(\.clock)
      print(
        JSONValue.object(
          JSONObject([
            ("case", .string("losses/\(variant)")), ("step_seconds", .number(median(own))),
            ("over_nll", .number(median(pairs.map { $0.clock / $1.clock }))),
            ("cpu_over_nll", .number(median(pairs.map { $0.processor / $1.processor }))), ("rounds", .array(own.map { .number($0) })),
            ("peak_rss_bytes", .integer(peakBytes())), ("kernel", .string(CPU.kernelName)),
          ])
        ).encoded())
    }
  }

  private static func median(_ values: [Double]) -> Double { values.isEmpty ? .nan : values.sorted()[values.count / 2] }
}
