import Kernels

/// Which records each optimizer step sees: a function of the records' lengths, the settings and the seed, so that a position in the data is
/// no more than a step's number. Knows nothing of the records' content.
package struct BatchPlan: Sendable {
  private let lengths: [Int]
  private let settings: TrainingSettings
  /// Optimizer steps of the whole run.
  package let totalSteps: Int
  /// First step of each epoch begun so far, and the epoch's micro-batches.
  private var epochs: [Epoch] = []

  private struct Epoch {
    let firstStep: Int
    let microBatches: [[Int]]
    let accumulation: Int
    var steps: Int { (microBatches.count + accumulation - 1) / accumulation }
  }

  /// What one step sees.
  package struct Step: Sendable, Equatable {
    /// Record numbers of each micro-batch.
    package let microBatches: [[Int]]
    /// Epochs done after this step, as the Trainer logs it.
    package let epoch: Double
  }

  /// `lengths`: tokens of each record, at least one record.
  package init(lengths: [Int], settings: TrainingSettings) {
    precondition(!lengths.isEmpty, "a plan for no records")
    self.lengths = lengths
    self.settings = settings
    if settings.maxSteps > 0 {
      totalSteps = settings.maxSteps
    } else {
      let first = Self.microBatches(lengths, settings, epoch: 0)
      let steps = (first.count + settings.gradientAccumulationSteps - 1) / settings.gradientAccumulationSteps
      totalSteps = max(1, Int((settings.epochs * Double(steps)).rounded(.up)))
    }
  }

  /// `index` from 0; steps are best asked for in order.
  package mutating func step(_ index: Int) -> Step {
    precondition(index >= 0, "step \(index)")
    if let first = epochs.first, index < first.firstStep { epochs = [] }
    while true {
      let number = epochNumber
      if let last = epochs.last {
        if index < last.firstStep + last.steps { return step(index, in: last, number: number - 1) }
        begin(number, at: last.firstStep + last.steps)
      } else {
        begin(0, at: 0)
      }
    }
  }

  private var epochNumber: Int = 0

  private mutating func begin(_ number: Int, at step: Int) {
    epochs = [
      Epoch(
        firstStep: step, microBatches: Self.microBatches(lengths, settings, epoch: number),
        accumulation: settings.gradientAccumulationSteps)
    ]
    epochNumber = number + 1
  }

  private func step(_ index: Int, in epoch: Epoch, number: Int) -> Step {
    let start = (index - epoch.firstStep) * epoch.accumulation
    let end = min(epoch.microBatches.count, start + epoch.accumulation)
    return Step(
      microBatches: Array(epoch.microBatches[start..<end]), epoch: Double(number) + Double(end) / Double(epoch.microBatches.count))
  }

  private static func microBatches(_ lengths: [Int], _ settings: TrainingSettings, epoch: Int) -> [[Int]] {
    let order =
      settings.order == .asGiven
      ? Array(lengths.indices) : Philox(seed: settings.dataSeed, name: "data order/\(epoch)").permutation(lengths.count)
    var batches: [[Int]] = []
    var tokens = 0
    for record in order {
      let fits =
        switch settings.microBatch {
        case .records(let size): (batches.last?.count ?? size) < size
        case .tokens(let budget): !batches.isEmpty && tokens + lengths[record] <= budget
        }
      if fits {
        batches[batches.count - 1].append(record)
        tokens += lengths[record]
      } else {
        batches.append([record])
        tokens = lengths[record]
      }
    }
    return batches
  }

  /// A micro-batch never sums to more than this, given a number for each record (its tokens, its targets).
  func largestSum(_ numbers: [Int]) -> Int {
    switch settings.microBatch {
    case .records(let size): numbers.sorted(by: >).prefix(size).reduce(0, +)
    case .tokens(let budget): min(numbers.reduce(0, +), max(budget, numbers.max() ?? 0))
    }
  }
}
