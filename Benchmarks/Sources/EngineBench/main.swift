import Generation
import Glibc
import JSONValues
import Kernels
import Modeling
import Training

// engine-bench train|forward|generate|rollout|grpo|losses …: times one of the engine's jobs after a warm-up and prints one JSON line. Weights come from a model
// directory or are drawn; token ids are drawn, for the work does not depend on them.

/// The command line: a case and `--name value` pairs.
struct Arguments {
  let name: String
  private let values: [String: String]

  init(_ words: [String]) {
    name = words.count > 1 ? words[1] : ""
    var values: [String: String] = [:]
    for index in stride(from: 2, to: words.count - 1, by: 2) { values[words[index]] = words[index + 1] }
    self.values = values
  }

  func text(_ key: String) -> String? { values["--" + key] }

  func count(_ key: String, _ otherwise: Int) -> Int { text(key).flatMap { Int($0) } ?? otherwise }
}

func seconds(_ clock: clockid_t = CLOCK_MONOTONIC) -> Double {
  var time = timespec()
  clock_gettime(clock, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func peakBytes() -> Int {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return usage.ru_maxrss * 1024
}

func drawn(_ records: Int, _ length: Int, _ vocabulary: Int) -> [[Int32]] {
  (0..<records).map { record in
    let random = Philox(seed: 1, name: "tokens/\(record)")
    return (0..<length).map { Int32(random.integer(UInt64($0), below: vocabulary)) }
  }
}

/// The 5.8M model of the comparison, or what the directory holds.
func load(_ arguments: Arguments, _ pool: ThreadPool) throws -> (ModelConfiguration, ParameterArena) {
  if let path = arguments.text("model") {
    let model = try ModelDirectory.load(path, pool: pool)
    return (model.configuration, model.arena)
  }
  let configuration = ModelConfiguration(
    family: .llama, vocabularySize: 4096, hiddenSize: 256, intermediateSize: 768, layers: 6, heads: 8, keyValueHeads: 4)
  let arena = ParameterArena(configuration)
  Transformer.initialize(arena, seed: 1, pool: pool)
  return (configuration, arena)
}

func report(_ name: String, tokens: Int, _ times: [Double], more: [(String, JSONValue)] = []) {
  let rates = times.map { Double(tokens) / $0 }
  let median = rates.sorted()[rates.count / 2]
  let members: [(String, JSONValue)] = [
    ("case", .string(name)), ("tokens_per_second", .number(median)), ("peak_rss_bytes", .integer(peakBytes())),
    ("repeats", .array(rates.map { .number($0) })), ("kernel", .string(CPU.kernelName)),
  ]
  print(JSONValue.object(JSONObject(members + more)).encoded())
}

/// Under a new adapter of `--rank` on every linear layer of the blocks, where that is given; `--dora 1` makes it DoRA, `--dropout` is in
/// per cent.
func adapted(_ configuration: ModelConfiguration, _ arena: ParameterArena, _ pool: ThreadPool, _ arguments: Arguments) -> ModelWeights {
  let weights = ModelWeights(configuration, arena)
  var settings = LoRASettings()
  settings.rank = arguments.count("rank", 0)
  settings.alpha = Double(2 * settings.rank)
  settings.isWeightDecomposed = arguments.count("dora", 0) > 0
  settings.dropout = Double(arguments.count("dropout", 0)) / 100
  guard settings.rank > 0, let adapter = try? Adapter.fresh(settings, on: arena, configuration, seed: 1, pool),
    let stack = try? AdapterStack([adapter], over: arena, pool)
  else { return weights }
  return weights.with(stack)
}

let arguments = Arguments(CommandLine.arguments)
let pool = ThreadPool(threads: arguments.count("threads", 2))
let (configuration, arena) = try load(arguments, pool)
let batch = arguments.count("batch", 4)
let repeats = arguments.count("steps", 3)
var times: [Double] = []

switch arguments.name {
case "train":
  let length = arguments.count("length", 256)
  let records = drawn(batch, length, configuration.vocabularySize).map { ids in
    TokenizedRecord(ids: ids, trained: ids.map { _ in true })
  }
  var settings = TrainingSettings()
  settings.microBatch = .records(batch)
  settings.maxSteps = repeats + 1
  let weights = adapted(configuration, arena, pool, arguments)
  let blocks = arguments.count("train-blocks", configuration.layers)
  let trained = Set((configuration.layers - blocks..<configuration.layers).map { "layers.\($0)" })
  let run = try TrainingRun(Transformer(weights, pool: pool), records, settings) { entry in
    blocks == configuration.layers || trained.contains(entry.name.split(separator: ".").dropFirst().prefix(2).joined(separator: "."))
  }
  var start = seconds()
  var control = TrainingControl()
  control.onStep = { metrics in
    // The first step touches all memory for the first time.
    if metrics.step > 1 { times.append(seconds() - start) }
    start = seconds()
  }
  _ = try run.run(control)
  report("train", tokens: batch * length, times)
case "forward":
  let length = arguments.count("length", 128)
  let model = Transformer(ModelWeights(configuration, arena), pool: pool)
  let tokens = TokenBatch(drawn(batch, length, configuration.vocabularySize))
  let targets = Targets.all(of: tokens)
  let activations = Activations(configuration, tokens: tokens.count, targets: targets.count, purpose: .inference)
  for repetition in 0...repeats {
    let start = seconds()
    _ = model.logProbabilities(tokens, targets, activations)
    if repetition > 0 { times.append(seconds() - start) }
  }
  report("forward", tokens: batch * length, times)
case "generate":
  let new = arguments.count("new", 64)
  let model = Transformer(ModelWeights.packed(configuration, arena, pool: pool, release: true), pool: pool)
  let prompts = drawn(batch, arguments.count("prompt", 32), configuration.vocabularySize)
  for repetition in 0...arguments.count("steps", 1) {
    let limits = GenerationLimits(maxNewTokens: repetition == 0 ? 4 : new)
    let start = seconds()
    _ = try Generator(model, sampling: .greedy, limits: limits, batchSize: batch).generate(prompts)
    if repetition > 0 { times.append(seconds() - start) }
  }
  report("generate", tokens: batch * new, times)
case "rollout":
  let new = arguments.count("new", 48)
  let samples = arguments.count("samples", 8)
  let model = Transformer(ModelWeights.packed(configuration, arena, pool: pool, release: true), pool: pool)
  let prompts = drawn(arguments.count("prompts", 64), arguments.count("prompt", 46), configuration.vocabularySize)
  for repetition in 0...arguments.count("steps", 1) {
    let limits = GenerationLimits(maxNewTokens: repetition == 0 ? 4 : new)
    let generator = Generator(model, sampling: SamplingSettings(), limits: limits, batchSize: arguments.count("batch", 64))
    let start = seconds()
    _ = try generator.generate(prompts, samples: samples)
    if repetition > 0 { times.append(seconds() - start) }
  }
  report("rollout", tokens: prompts.count * samples * new, times)
case "grpo":
  let bench = PolicySteps(configuration, arena, pool, arguments)
  for repetition in 0...repeats {
    let start = seconds()
    try bench.step()
    // The first step touches all memory for the first time.
    if repetition == 0 { bench.laps = [:] } else { times.append(seconds() - start) }
  }
  // A step counts as one token: the rate is steps a second.
  report("grpo", tokens: 1, times, more: bench.laps.sorted { $0.key < $1.key }.map { ($0.key, .number($0.value / Double(repeats))) })
case "losses":
  let variants = arguments.text("variants").map { $0.split(separator: ",").map(String.init) } ?? LossSteps.variants
  try LossSteps.run(LossSteps(configuration, arena, pool, arguments), variants: variants, rounds: arguments.count("rounds", 5))
default:
  print(
    """
    engine-bench train|forward|generate|rollout|grpo|losses [--model DIR] [--threads N] [--steps N] [--batch N] [--length N] [--prompt N] [--new N]
      [--prompts N] [--samples N] [--groups N] [--accumulation N] [--rounds N] [--variants nll,talr,…]
    """)
  exit(2)
}
