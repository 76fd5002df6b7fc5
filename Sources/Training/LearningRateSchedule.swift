import Kernels

/// The learning rate of each optimizer step, as the Trainer of transformers has it (`lr_scheduler_type`): step 0 of a warm-up uses 0.
package struct LearningRateSchedule: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    case linear
    case cosine
    case constant
    case constantWithWarmup = "constant_with_warmup"
  }

  package let kind: Kind
  package let peak: Double
  package let warmupSteps: Int
  package let totalSteps: Int

  package init(kind: Kind, peak: Double, warmupSteps: Int, totalSteps: Int) {
    self.kind = kind
    self.peak = peak
    self.warmupSteps = warmupSteps
    self.totalSteps = totalSteps
  }

  /// `step` counts from 0.
  package func rate(_ step: Int) -> Double { peak * factor(step) }

  private func factor(_ step: Int) -> Double {
    if kind == .constant { return 1 }
    if step < warmupSteps { return Double(step) / Double(max(1, warmupSteps)) }
    switch kind {
    case .constant, .constantWithWarmup: return 1
    case .linear: return max(0, Double(totalSteps - step) / Double(max(1, totalSteps - warmupSteps)))
    case .cosine:
      let progress = Double(step - warmupSteps) / Double(max(1, totalSteps - warmupSteps))
      return max(0, 0.5 * (1 + VectorMath.cos(Double.pi * progress)))
    }
  }
}
