import Kernels
import Modeling

/// The loss of one optimizer step as its micro-batches go by: gives each its slopes, and sums what the log says of them.
final class StepLoss {
  private let objective: Objective
  private let distributions: DistributionTerms
  /// w of each target of the micro-batch under way, without the record's.
  private let weights: FloatBuffer
  private var total = 0
  private var temperature: Double?
  private var temperatures = 0.0
  private var batches = 0
  private(set) var loss = 0.0
  private var likelihood = 0.0
  private var weightSum = 0.0
  private var entropy = 0.0
  private var correct = 0.0
  private var distances: [Double] = []

  /// `targets`: the most of a micro-batch.
  init(_ objective: Objective, _ distributions: DistributionTerms, targets: Int) {
    self.objective = objective
    self.distributions = distributions
    weights = FloatBuffer(count: targets)
  }

  /// A new step of `targets` targets. `temperature`: τ where it is the same for the whole step.
  func begin(targets: Int, temperature: Double?) {
    total = targets
    self.temperature = temperature ?? objective.fixedTemperature
    (temperatures, batches, loss, likelihood, weightSum, entropy, correct) = (0, 0, 0, 0, 0, 0, 0)
    distances = distributions.columns.map { _ in 0 }
  }

  /// slope = −w·(the target's own weight) / N.
  func tokenLoss(_ batch: MicroBatch) -> TokenLoss {
    let inverse = -1 / Float(total)
    let isKnown = temperature != nil || objective.medianScope == nil
    return TokenLoss(scope: isKnown ? .token : .batch) { [self] statistics, range, slopes in
      if !isKnown { temperature = Objective.medianTemperature(batch.meanLosses(statistics)) }
      objective.weigh(statistics, range, temperature: temperature, weights.pointer + range.lowerBound)
      for (index, target) in range.enumerated() { slopes[index] = weights.pointer[target] * batch.weights[target] * inverse }
    }
  }

  /// After the pass over `batch`.
  func add(_ batch: MicroBatch, _ statistics: TargetStatistics) {
    var (loss, likelihood, weightSum) = (0.0, 0.0, 0.0)
    for target in 0..<statistics.count {
      let weight = Double(weights.pointer[target]) * Double(batch.weights[target])
      let own = Double(statistics.logProbabilities[target])
      loss -= weight * own
      likelihood -= own
      weightSum += weight
      entropy += Double(statistics.entropies[target])
      correct += Double(statistics.correct[target])
    }
    self.loss += loss / Double(total)
    self.likelihood += likelihood
    self.weightSum += weightSum
    temperatures += temperature ?? 0
    batches += 1
    if objective.medianScope == .microBatch { temperature = nil }
    for (index, sum) in distributions.sums(statistics.count).enumerated() { distances[index] += sum }
  }

  var meanEntropy: Double { entropy / Double(total) }
  var accuracy: Double { correct / Double(total) }

  /// What is logged beyond plain fine-tuning's columns: the plain loss and the mean weight where there are weights, τ (its mean over the
  /// micro-batches) where it is a median, and each distribution term.
  var more: [NamedValue] {
    var values: [NamedValue] = []
    if objective != .negativeLogLikelihood {
      values += [NamedValue("nll", likelihood / Double(total)), NamedValue("mean_weight", weightSum / Double(total))]
    }
    if objective.medianScope != nil { values.append(NamedValue("tau", temperatures / Double(max(1, batches)))) }
    return values + zip(distributions.columns, distances).map { NamedValue($0, $1 / Double(total)) }
  }
}

extension MicroBatch {
  /// The mean of −log p over each record's targets.
  package func meanLosses(_ statistics: TargetStatistics) -> [Double] {
    var sums = [Double](repeating: 0, count: records.count)
    var counts = [Int](repeating: 0, count: records.count)
    for target in 0..<statistics.count {
      sums[Int(owners[target])] -= Double(statistics.logProbabilities[target])
      counts[Int(owners[target])] += 1
    }
    return zip(sums, counts).map { $0 / Double(max(1, $1)) }
  }
}

extension TrainingGoal {
  /// A loss that waits for the whole micro-batch keeps this many bytes of logits rather than computing them again: the head's product is
  /// a fourteenth of a step of SmolLM2-135M when every token is a target.
  private static var keptLogits: Int { 256 << 20 }

  /// A reference's blocks are not kept: beside one the head runs twice.
  func head(accumulation: Int) -> Activations.Head {
    var head = Activations.Head()
    let waits = objective.medianScope == .microBatch || objective.medianScope == .step && accumulation == 1
    head.keptBytes = waits && distributions.isEmpty ? Self.keptLogits : 0
    head.hasTopEntropies = objective.needsTopEntropies
    return head
  }
}
