import Datasets
import JSONValues
import Kernels
import Modeling
import StageInterface
import Training

/// What `train/sft` is told of its loss: the weight of each token, and whose distributions the model is held to.
struct LossParameters: Decodable, Sendable {
  let loss: String
  let tau: Double?
  let tauScope: String
  let talrFloor: Double
  let eaftAlpha: Double
  let beta: Double
  let distillLambda: Double
  let distillTemperature: Double

  var objective: Objective {
    switch loss {
    case "talr":
      .talr(tau.map { .fixed($0) } ?? .median(Objective.Scope(rawValue: tauScope) ?? .microBatch), floor: talrFloor)
    case "dft": .dft
    case "eaft": .eaft(alpha: eaftAlpha)
    case "flow": .flow
    default: .negativeLogLikelihood
    }
  }

  func distributions(_ context: StageContext, _ models: ReferenceModels) throws -> [DistributionTerm] {
    var terms: [DistributionTerm] = []
    if beta > 0 { terms.append(.kl(beta: beta, to: try models.transformer(try TermParameters.anchor(context)))) }
    if distillLambda > 0 {
      let teacher = try context.optionalInput("teacher") ?? context.input("model")
      terms.append(.distillation(lambda: distillLambda, temperature: distillTemperature, from: try models.transformer(teacher)))
    }
    return terms
  }

  /// All records to train on, with FLOW's weights where it is the loss.
  func records(_ tables: [TrainingRecords], _ context: StageContext) throws -> [TokenizedRecord] {
    guard loss == "flow" else { return tables.flatMap(\.records) }
    guard let path = context.optionalInput("weights") else { throw StageFailure("loss is 'flow', and there is no input 'weights'") }
    let json = try JSONValue(contentsOf: path)
    do throws(DatasetError) {
      let weights = try RecordWeights(json: json)
      var records: [TokenizedRecord] = []
      for table in tables { records += try table.weighted(by: weights) }
      return records
    } catch {
      throw error.located(file: path)
    }
  }
}
