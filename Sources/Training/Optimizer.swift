import Kernels
import Modeling

/// AdamW over what trains: its two moments. Knows nothing of schedules.
///
/// `@unchecked Sendable`: belongs to the loop that steps it.
package final class Optimizer: @unchecked Sendable {
  /// First and second moments, laid out as the gradients: what is frozen has none.
  package let first: FloatBuffer
  package let second: FloatBuffer
  private let trained: TrainableParameters

  package init(_ trained: TrainableParameters) {
    self.trained = trained
    first = FloatBuffer(count: trained.gradients.count)
    second = FloatBuffer(count: trained.gradients.count)
  }

  /// One step; clears the gradients. `step` counts from 1, `scale` multiplies the gradient first.
  package func update(_ pool: ThreadPool, settings: TrainingSettings, learningRate: Double, step: Int, scale: Float) {
    let adam = AdamWStep(
      learningRate: learningRate, beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.epsilon, step: step,
      gradientScale: scale)
    for part in trained.parts {
      let place = trained.place(of: part)
      adam.update(
        pool, count: part.count, weightDecay: part.isDecayed ? settings.weightDecay : 0, parameters: part.parameters,
        gradients: part.gradients, first: first.pointer + place, second: second.pointer + place)
    }
    trained.settle(pool)
  }
}
