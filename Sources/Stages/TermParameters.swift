import Kernels
import Modeling
import StageInterface
import Training

/// What the terms on the weights are told: what the training stages share. A factor of 0 leaves the term out, and its inputs unread.
struct TermParameters: Decodable, Sendable {
  let l2Lambda: Double
  let l2Reduction: String
  let ewcLambda: Double
  let cpoLambda: Double
  let cpoShare: Double

  /// - Throws: where an adapter trains: these terms hold the model's own weights.
  func terms(
    _ context: StageContext, _ models: ReferenceModels, _ trained: TrainedWeights, _ pool: ThreadPool
  ) throws -> [any ParameterTerm] {
    let factors = [("l2_lambda", l2Lambda), ("ewc_lambda", ewcLambda), ("cpo_lambda", cpoLambda)]
    if trained.adapter != nil, let (name, _) = factors.first(where: { $0.1 > 0 }) {
      throw StageFailure("\(name) is above 0, and with peft_config an adapter trains: it holds the model's own weights")
    }
    let configuration = trained.model.configuration
    var terms: [any ParameterTerm] = []
    if l2Lambda > 0 {
      terms.append(
        AnchorTerm(
          lambda: l2Lambda, reduction: .init(rawValue: l2Reduction) ?? .sum, anchor: try models.arena(try Self.anchor(context)),
          trained: trained.model.arena.layout.entries.reduce(0) { $0 + (trained.trains($1) ? $1.count : 0) }))
    }
    if ewcLambda > 0 { terms.append(ConsolidationTerm(lambda: ewcLambda, try tasks(context, configuration, pool))) }
    if cpoLambda > 0 {
      let reference = try models.arena(try Self.anchor(context))
      terms.append(MovedWeightsTerm(lambda: cpoLambda, reference: reference, try moved(context, configuration, pool)))
    }
    return terms
  }

  /// θ₀: the input `anchor`, or the model that training begins with.
  static func anchor(_ context: StageContext) throws -> String { try context.optionalInput("anchor") ?? context.input("model") }

  // MARK: - EWC

  /// Each Fisher with the model it was measured at, which its file names.
  private func tasks(_ context: StageContext, _ configuration: ModelConfiguration, _ pool: ThreadPool) throws -> ConsolidatedTasks {
    let fishers = context.inputs("fisher")
    guard !fishers.isEmpty else { throw StageFailure("ewc_lambda is above 0, and there is no input 'fisher'") }
    let candidates = ["model", "anchor", "fisher_models"].flatMap { context.inputs($0) }
    let tasks = ConsolidatedTasks(ParameterLayout(configuration))
    for element in fishers {
      let file = try FisherFile(path: element.path)
      guard let model = candidates.first(where: { $0.digest.utf8.elementsEqual(file.origin.model.utf8) }) else {
        throw StageFailure(
          "is the Fisher information of another model, \(file.origin.model), than those given as 'model', 'anchor' or 'fisher_models'",
          file: element.path)
      }
      let fisher = try file.load(configuration, pool: pool)
      tasks.add(fisher: fisher, at: try ReferenceModels.model(model.path, like: configuration, pool).arena)
    }
    return tasks
  }

  // MARK: - CPO

  /// The weights that moved most between each two models in a row of `past`, the input model last.
  private func moved(_ context: StageContext, _ configuration: ModelConfiguration, _ pool: ThreadPool) throws -> MovedWeights {
    let past = context.inputs("past")
    guard !past.isEmpty else { throw StageFailure("cpo_lambda is above 0, and there is no input 'past'") }
    let moved = MovedWeights(ParameterLayout(configuration))
    var before = try ReferenceModels.model(past[0].path, like: configuration, pool).arena
    for element in past.dropFirst() + context.inputs("model") {
      let after = try ReferenceModels.model(element.path, like: configuration, pool).arena
      moved.add(before: before, after: after, share: cpoShare)
      before = after
    }
    return moved
  }
}
