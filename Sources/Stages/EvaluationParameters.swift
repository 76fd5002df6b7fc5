import Datasets
import Evaluation

/// What evaluations inside training are told: `eval_*` and `early_stopping_*` of train/sft and train/rft.
struct EvaluationParameters: Decodable, Sendable {
  let evalSteps: Int?
  let earlyStoppingPatience: Int
  let earlyStoppingThreshold: Double
  let evalLimit: Int?
  let evalFormat: String
  let evalSystem: String?
  let evalTemplate: String?
  let perDeviceEvalBatchSize: Int
}
