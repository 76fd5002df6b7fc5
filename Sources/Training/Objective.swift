import Kernels
import Modeling

/// Which loss trains: how a micro-batch's targets pull on the model, and what they add to the step's loss. Everything the loop knows of a
/// loss is here. A loss that needs more than log p of its own token (other tokens' log p, a reference's) takes it from what it captures.
package struct Objective {
  package let name: String
  /// d loss / d log p of each target of the micro-batch. The second argument is the number of targets in the whole optimizer step.
  package let tokenLoss: (MicroBatch, Int) -> TokenLoss
  /// The micro-batch's share of the step's loss, from its statistics.
  package let value: (MicroBatch, TargetStatistics, Int) -> Double

  package init(
    name: String, tokenLoss: @escaping (MicroBatch, Int) -> TokenLoss,
    value: @escaping (MicroBatch, TargetStatistics, Int) -> Double
  ) {
    self.name = name
    self.tokenLoss = tokenLoss
    self.value = value
  }

  /// Σ −w·log p / N over the step's N targets, with each token's weight w (1 in plain fine-tuning).
  package static var negativeLogLikelihood: Objective {
    Objective(
      name: "nll",
      tokenLoss: { batch, total in
        let inverse = -1 / Float(total)
        return TokenLoss { _, range, slopes in
          for (index, target) in range.enumerated() { slopes[index] = batch.weights[target] * inverse }
        }
      },
      value: { batch, statistics, total in
        var sum = 0.0
        for target in 0..<statistics.count { sum -= Double(batch.weights[target]) * Double(statistics.logProbabilities[target]) }
        return sum / Double(total)
      })
  }
}
