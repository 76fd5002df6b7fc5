import Kernels
import Modeling

/// A sequence while it is generated: where its past lies, its random numbers, and what has been drawn.
final class GeneratedSequence {
  /// Place of its prompt in the request.
  let prompt: Int
  /// Its number among the prompt's samples; the greedy one comes after them.
  let sample: Int
  let isGreedy: Bool
  let random: Philox
  let rule: GenerationLimits.StopRule?
  var row: DecodingRow
  var completion = Completion()

  init(prompt: Int, sample: Int, isGreedy: Bool, random: Philox, rule: GenerationLimits.StopRule?, row: DecodingRow) {
    self.prompt = prompt
    self.sample = sample
    self.isGreedy = isGreedy
    self.random = random
    self.rule = rule
    self.row = row
  }
}
