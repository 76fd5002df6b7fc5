import Kernels

/// Another model whose distribution at the targets takes part in a loss. It runs forward once a micro-batch, and gives a block of logits at
/// a time beside the trained model's: one residual stream and one block is all the memory it takes beyond its weights.
///
/// `@unchecked Sendable`: belongs to one pass at a time.
package final class DistributionReference: @unchecked Sendable {
  /// What is asked of this reference.
  package let measures: [DistributionMatch.Measure]
  private let model: Transformer
  private let activations: Activations
  /// measures × (maximumTargets)
  private let divergences: [FloatBuffer]

  /// `tokens`, `targets`: the most of a micro-batch.
  package init(_ model: Transformer, _ measures: [DistributionMatch.Measure], tokens: Int, targets: Int) {
    self.model = model
    self.measures = measures
    activations = Activations(model.configuration, tokens: tokens, targets: targets, purpose: .inference)
    divergences = measures.map { _ in FloatBuffer(count: targets) }
  }

  /// KL(p_ref‖p) of each target of the last pass by measure `index`, in nats.
  package func divergences(_ index: Int) -> UnsafePointer<Float> { UnsafePointer(divergences[index].pointer) }

  // MARK: - Within a pass

  func forward(_ batch: TokenBatch) { model.forward(batch, activations) }

  /// From the trained model's logits of one block: divergences, and slopes that `add` hands over. `share`: 1 / N of the step.
  func match(_ block: Range<Int>, _ targets: Targets, logits: UnsafePointer<Float>, share: Float) {
    model.logits(after: Array(targets.rows[block]), activations) { range, reference in
      precondition(range.count == block.count, "a block of \(block.count) targets in a reference that holds \(range.count)")
      DistributionMatch.forward(
        model.pool, rows: block.count, vocabulary: model.configuration.vocabularySize, logits: logits, reference: reference,
        measures: measures, share: share, divergences: divergences.map { $0.pointer + block.lowerBound })
    }
  }

  /// slopes (block.count, vocabulary) += those of the block that was matched last.
  func add(_ block: Range<Int>, to slopes: Floats) {
    DistributionMatch.add(
      model.pool, count: block.count * model.configuration.vocabularySize, activations.logits.pointer, to: slopes)
  }
}

/// What the distributions of other models add to a pass.
package struct DistributionLoss {
  package let references: [DistributionReference]
  /// A target's part of the loss: 1 / N of the step.
  package let share: Float

  package init(_ references: [DistributionReference], share: Float) {
    self.references = references
    self.share = share
  }

  package static var none: DistributionLoss { DistributionLoss([], share: 0) }
}
