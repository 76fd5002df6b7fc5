import Kernels
import Modeling

/// AdamW over what trains: its two moments. Knows nothing of schedules.
///
/// `@unchecked Sendable`: belongs to the loop that steps it.
package final class Optimizer: @unchecked Sendable {
  /// First and second moments, laid out as the gradients: what is frozen has none.
  package let first: FloatBuffer
  package let second: FloatBuffer
  /// Updates that the moments had seen before this run: those of the run they were carried over from.
  private var earlierUpdates = 0
  private let trained: TrainableParameters

  /// Where each tensor's moments lie.
  package var layout: ParameterLayout { trained.gradients.layout }

  package init(_ trained: TrainableParameters) {
    self.trained = trained
    first = FloatBuffer(count: trained.gradients.count)
    second = FloatBuffer(count: trained.gradients.count)
  }

  /// Goes on with the moments of an earlier run, of the same tensors.
  package func carry(from file: OptimizerFile) throws(ModelError) { earlierUpdates = try file.read(into: self) }

  /// `updates`: made in this run.
  package func write(_ file: OptimizerFile, updates: Int) throws(ModelError) { try file.write(self, updates: earlierUpdates + updates) }

  /// One step; clears the gradients. `step` counts from 1, `scale` multiplies the gradient first.
  package func update(_ pool: ThreadPool, settings: TrainingSettings, learningRate: Double, step: Int, scale: Float) {
    let adam = AdamWStep(
      learningRate: learningRate, beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.epsilon, step: earlierUpdates + step,
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
