/// What a training run is told, under the Trainer's names in our spelling. Knows nothing of the loss or of which weights train.
package struct TrainingSettings: Sendable, Equatable {
  /// How an epoch's records are cut into micro-batches.
  package enum MicroBatch: Sendable, Equatable {
    /// `per_device_train_batch_size`
    case records(Int)
    /// As many records as fit in so many tokens, and at least one.
    case tokens(Int)
  }

  package enum Order: Sendable, Equatable {
    /// Anew each epoch.
    case shuffled
    case asGiven
  }

  package var learningRate = 1e-5
  package var schedule = LearningRateSchedule.Kind.linear
  /// Wins over `warmupRatio` when positive.
  package var warmupSteps = 0
  package var warmupRatio = 0.0
  package var epochs = 1.0
  /// Wins over `epochs` when positive.
  package var maxSteps = -1
  package var microBatch = MicroBatch.records(8)
  package var gradientAccumulationSteps = 1
  /// 0 for no clipping.
  package var maxGradNorm = 1.0
  package var weightDecay = 0.0
  package var beta1 = 0.9
  package var beta2 = 0.999
  package var epsilon = 1e-8
  /// Of an adapter's dropout.
  package var seed: UInt64 = 42
  /// Of the data order.
  package var dataSeed: UInt64 = 42
  package var order = Order.shuffled

  package init() {}

  package func learningRates(totalSteps: Int) -> LearningRateSchedule {
    let warmup = warmupSteps > 0 ? warmupSteps : Int((Double(totalSteps) * warmupRatio).rounded(.up))
    return LearningRateSchedule(kind: schedule, peak: learningRate, warmupSteps: warmup, totalSteps: totalSteps)
  }
}
