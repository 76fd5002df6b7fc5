import Kernels

/// Which prompts each step asks: shuffled anew in each pass, cut into steps. A function of the numbers and the seed, so that a position in
/// the data is no more than a step's number.
struct PromptPlan {
  private let prompts: Int
  private let perStep: Int
  private let seed: UInt64
  let totalSteps: Int

  /// - Parameter maxSteps: wins over `epochs` when positive.
  init(prompts: Int, perStep: Int, epochs: Double, maxSteps: Int, seed: UInt64) {
    precondition(prompts > 0 && perStep > 0, "\(prompts) prompts, \(perStep) a step")
    self.prompts = prompts
    self.perStep = min(perStep, prompts)
    self.seed = seed
    let stepsAPass = (prompts + self.perStep - 1) / self.perStep
    totalSteps = maxSteps > 0 ? maxSteps : max(1, Int((epochs * Double(stepsAPass)).rounded(.up)))
  }

  struct Step: Equatable {
    /// Numbers of the prompts.
    let prompts: [Int]
    /// Passes done after this step.
    let epoch: Double
    /// From 0.
    let pass: Int
  }

  /// `index` from 0. The last step of a pass may be short.
  func step(_ index: Int) -> Step {
    let stepsAPass = (prompts + perStep - 1) / perStep
    let (pass, place) = index.quotientAndRemainder(dividingBy: stepsAPass)
    let order = Philox(seed: seed, name: "data order/\(pass)").permutation(prompts)
    let range = place * perStep..<min(prompts, (place + 1) * perStep)
    return Step(prompts: Array(order[range]), epoch: Double(pass) + Double(range.upperBound) / Double(prompts), pass: pass)
  }
}
