import JSONValues
import Kernels
import Modeling
import StageInterface
import Training

/// What of a model trains, made ready: the weights, the adapters on them, and what is handed over in the end.
struct TrainedWeights {
  let model: LoadedModel
  /// The model's weights under its adapters.
  let weights: ModelWeights
  /// Which of the model's own tensors train where there is no adapter.
  let trains: (ParameterLayout.Entry) -> Bool
  /// What holds the adapter apart from earlier ones.
  let terms: [any ParameterTerm]
  /// Nil where everything trains.
  let note: TrainingNote?

  var adapter: Adapter? { weights.adapters.adapters.last }

  /// The log, with what trained and the looks at suites, and the weights.
  func handOver(
    _ log: StepLog, steps: Int, _ looks: [(String, JSONValue)], _ context: StageContext, _ pool: ThreadPool
  ) throws {
    let trainedNote = note.map { [("weights", $0.json)] } ?? []
    try log.write(steps: steps, trainedNote + looks, to: try context.output("log"))
    try write(context, pool)
  }

  /// Writes the output `model`, with the adapters merged, and where there is an adapter the output `adapter`: all that lies on the weights,
  /// as one.
  private func write(_ context: StageContext, _ pool: ThreadPool) throws {
    let (configuration, adapters) = (model.configuration, weights.adapters.adapters)
    if !adapters.isEmpty {
      let whole = Adapter.composed(adapters, configuration)
      try AdapterDirectory.write(whole, for: configuration, to: try context.output("adapter"))
      whole.merge(into: model.arena, pool)
    }
    try ModelDirectory.write(configuration, model.arena, companions: model.companions, to: try context.output("model"), pool: pool)
  }
}

/// What a training log says of the weights that trained.
struct TrainingNote {
  /// `W0 + 2·B1A1`; of a model without adapters nil.
  let formula: WeightFormula?
  let parameters: Int
  let tensors: Int

  /// For people, one line.
  var text: String {
    let size = "\(parameters) parameters in \(tensors) tensors train"
    guard let formula else { return size }
    let states = formula.terms.enumerated().map { "\($0 + 1) \($1.state.rawValue)" }.joined(separator: ", ")
    return "weights: \(formula) (\(states)); \(size)"
  }

  var json: JSONValue {
    var members: [(String, JSONValue)] = []
    if let formula {
      let terms = formula.terms.map { term, state -> JSONValue in
        ["rank": .integer(term.rank), "scale": .number(term.scale), "state": .string(state.rawValue)]
      }
      members = [("formula", .string(formula.description)), ("terms", .array(terms))]
    }
    return .object(JSONObject(members + [("parameters", .integer(parameters)), ("tensors", .integer(tensors))]))
  }
}
