import Kernels
import Modeling

/// AdamW over the parts of an arena that train: its two moments, and which ranges decay. Knows nothing of schedules.
///
/// `@unchecked Sendable`: belongs to the loop that steps it.
package final class Optimizer: @unchecked Sendable {
  /// Adjacent tensors with one decay.
  package struct Group: Sendable, Equatable {
    package var range: Range<Int>
    package var isDecayed: Bool
  }

  /// First and second moments, laid out as the parameters.
  package let first: FloatBuffer
  package let second: FloatBuffer
  package let groups: [Group]

  /// `trains` picks tensors by their entry; frozen ones are never touched.
  package init(_ layout: ParameterLayout, trains: (ParameterLayout.Entry) -> Bool = { _ in true }) {
    first = FloatBuffer(count: layout.count)
    second = FloatBuffer(count: layout.count)
    groups = Self.groups(layout, trains)
  }

  /// One step; clears the gradients. `step` counts from 1, `scale` multiplies the gradient first.
  package func update(
    _ pool: ThreadPool, _ parameters: ParameterArena, _ gradients: ParameterArena, settings: TrainingSettings, learningRate: Double,
    step: Int, scale: Float
  ) {
    let adam = AdamWStep(
      learningRate: learningRate, beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.epsilon, step: step,
      gradientScale: scale)
    for group in groups {
      let start = group.range.lowerBound
      adam.update(
        pool, count: group.range.count, weightDecay: group.isDecayed ? settings.weightDecay : 0, parameters: parameters.pointer + start,
        gradients: gradients.pointer + start, first: first.pointer + start, second: second.pointer + start)
    }
  }

  /// What trains, with its gradients.
  package func parts(_ parameters: ParameterArena, _ gradients: ParameterArena) -> [TrainedPart] {
    groups.map { group in
      TrainedPart(
        offset: group.range.lowerBound, count: group.range.count, isDecayed: group.isDecayed,
        parameters: parameters.pointer + group.range.lowerBound, gradients: gradients.pointer + group.range.lowerBound)
    }
  }

  /// ‖g‖₂ over what trains.
  package func norm(_ pool: ThreadPool, _ gradients: ParameterArena) -> Double {
    let squares = groups.map { group in
      GradientNorm.sumOfSquares(pool, count: group.range.count, gradients: gradients.pointer + group.range.lowerBound)
    }
    return squares.reduce(0, +).squareRoot()
  }

  private static func groups(_ layout: ParameterLayout, _ trains: (ParameterLayout.Entry) -> Bool) -> [Group] {
    var groups: [Group] = []
    var previous = -1
    for (index, entry) in layout.entries.enumerated() where trains(entry) {
      if previous == index - 1, let last = groups.last, last.isDecayed == entry.isDecayed {
        groups[groups.count - 1].range = last.range.lowerBound..<entry.range.upperBound
      } else {
        groups.append(Group(range: entry.range, isDecayed: entry.isDecayed))
      }
      previous = index
    }
    return groups
  }
}
