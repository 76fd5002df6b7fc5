import Datasets
import JSONValues
import Kernels
import Modeling
import StageInterface
import Training

/// `score/fisher`: how much each weight matters for a task: the diagonal Fisher information of a model on records.
package struct ScoreFisher: NativeStage {
  package static let name = "score/fisher"

  package struct Parameters: Decodable, Sendable {
    let labels: String
    let samples: Int?
    let gamma: Double
    let seed: UInt64
    let saveSteps: Int
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    guard let given = context.inputs("model").first else { throw StageFailure("input 'model' is missing from the stage's order") }
    let pool = ThreadPool(threads: context.threads)
    let model = try ModelDirectory.load(given.path, pool: pool)
    let records = sample(try TrainingRecords.tables(context, model.configuration).flatMap(\.records), parameters)
    let labels: FisherEstimate.Labels = parameters.labels == "model" ? .model(seed: parameters.seed) : .data
    let previous = try context.optionalInput("previous").map { try FisherFile(path: $0).load(model.configuration, pool: pool) }
    let estimate = try FisherEstimate(
      Transformer(ModelWeights(model.configuration, model.arena), pool: pool), records, labels: labels)

    let checkpoint = context.checkpointDirectory + "/checkpoint"
    let binding = [(name: "model", value: given.digest)]
    try estimate.resume(from: checkpoint, binding: binding)
    while estimate.done < estimate.total {
      if context.stopRequested {
        try estimate.save(to: checkpoint, binding: binding)
        throw StageInterrupted()
      }
      try estimate.step()
      if estimate.done % parameters.saveSteps == 0, estimate.done < estimate.total { try estimate.save(to: checkpoint, binding: binding) }
      context.progress(done: estimate.done, of: estimate.total)
    }
    let fisher = estimate.finish(previous: previous, gamma: parameters.gamma)
    let mean = mean(fisher)
    guard mean.isFinite else { throw StageFailure("the squared gradients overflow: its weights are spoilt", file: given.path) }
    context.metric(step: 0, "mean_fisher", mean)
    let origin = FisherFile.Origin(
      model: given.digest, labels: parameters.labels, records: estimate.total, gamma: previous == nil ? nil : parameters.gamma)
    try FisherFile.write(fisher, origin, to: try context.output("fisher"), pool: pool)
  }

  /// Some of the records, drawn without repetition, in the order drawn.
  private static func sample(_ records: [TokenizedRecord], _ parameters: Parameters) -> [TokenizedRecord] {
    let usable = records.filter { $0.targetCount > 0 }
    guard let samples = parameters.samples, samples < usable.count else { return records }
    return Philox(seed: parameters.seed, name: "fisher records").permutation(usable.count).prefix(samples).map { usable[$0] }
  }

  private static func mean(_ fisher: ParameterArena) -> Double {
    var sum = 0.0
    for value in fisher.buffer.elements { sum += Double(value) }
    return sum / Double(max(1, fisher.layout.parameterCount))
  }
}
