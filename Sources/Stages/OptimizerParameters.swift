import Training

/// What AdamW and its schedule are told: what the training stages share.
struct OptimizerParameters: Decodable, Sendable {
  let learningRate: Double
  let lrSchedulerType: String
  let warmupSteps: Int
  let warmupRatio: Double
  let numTrainEpochs: Double
  let maxSteps: Int
  let maxGradNorm: Double
  let weightDecay: Double
  let adamBeta1: Double
  let adamBeta2: Double
  let adamEpsilon: Double

  var settings: TrainingSettings {
    var settings = TrainingSettings()
    settings.learningRate = learningRate
    settings.schedule = LearningRateSchedule.Kind(rawValue: lrSchedulerType) ?? .linear
    settings.warmupSteps = warmupSteps
    settings.warmupRatio = warmupRatio
    settings.epochs = numTrainEpochs
    settings.maxSteps = maxSteps
    settings.maxGradNorm = maxGradNorm
    settings.weightDecay = weightDecay
    settings.beta1 = adamBeta1
    settings.beta2 = adamBeta2
    settings.epsilon = adamEpsilon
    return settings
  }
}
