import JSONValues
import Kernels
import Modeling

/// Whether a base with adapters beside it and the model that they were merged into predict the same: both read the same few tokens, and
/// the logits after each are compared. What is asked is the model as it was written, so that rounding to its type counts.
///
/// Everything is computed in float32; one model is in memory at a time.
package struct LogitCheck: Sendable, Equatable {
  /// Of logits compared: sequences × tokens.
  package let rows: Int
  /// The largest difference of two logits.
  package let largestDifference: Float
  /// The largest difference of two log-probabilities.
  package let largestLogProbabilityDifference: Float
  /// The largest |logit| of the base with adapters, to compare the differences with.
  package let largestLogit: Float
  /// The share of rows whose likeliest token is the same.
  package let equalArgmax: Double

  /// Why the terms cannot be computed beside their base; nil where they can.
  package static func obstacle(_ terms: [LoRAMerge.Term]) -> String? {
    guard terms.contains(where: \.adapter.settings.isWeightDecomposed) else { return nil }
    if terms.count > 1 { return "a DoRA adapter is one of several, which is not computed without merging" }
    return terms[0].factor == 1 ? nil : "a DoRA adapter has a factor other than 1, which is not computed without merging"
  }

  /// `base`, `merged`: model directories. There is no obstacle to `terms`.
  package init(base: String, _ terms: [LoRAMerge.Term], merged: String, pool: ThreadPool) throws(ModelError) {
    let model = try ModelDirectory.load(base, pool: pool)
    let configuration = model.configuration
    let stack = try AdapterStack(terms.map(Self.scaled), over: model.arena, pool)
    let batch = Self.batch(configuration)
    let weights = ModelWeights(configuration, model.arena)
    let apart = Self.logits(weights.with(stack), batch, pool)
    try ModelDirectory.loadWeights(merged, configuration, into: model.arena, pool: pool)
    let within = Self.logits(weights, batch, pool)
    self.init(apart, within, width: configuration.vocabularySize)
  }

  /// (rows, width) each.
  init(_ apart: [Float], _ within: [Float], width: Int) {
    let rows = apart.count / width
    var (difference, logDifference, largest, equal) = (Float(0), Float(0), Float(0), 0)
    apart.withUnsafeBufferPointer { apart in
      within.withUnsafeBufferPointer { within in
        guard let apart = apart.baseAddress, let within = within.baseAddress else { return }
        for row in 0..<rows {
          let (a, b) = (apart + row * width, within + row * width)
          let shift = VectorMath.logSumExp(a, count: width) - VectorMath.logSumExp(b, count: width)
          for i in 0..<width {
            difference = Self.larger(difference, a[i] - b[i])
            logDifference = Self.larger(logDifference, a[i] - b[i] - shift)
            largest = Self.larger(largest, a[i])
          }
          if Self.argmax(a, width) == Self.argmax(b, width) { equal += 1 }
        }
      }
    }
    self.rows = rows
    (largestDifference, largestLogProbabilityDifference, largestLogit) = (difference, logDifference, largest)
    equalArgmax = Double(equal) / Double(max(rows, 1))
  }

  /// A number that is not finite, which only weights far out of range give, is null.
  package var json: JSONValue {
    func number(_ value: Float) -> JSONValue { value.isFinite ? .number(Double(value)) : .null }
    return [
      "rows": .integer(rows), "largest_difference": number(largestDifference),
      "largest_log_probability_difference": number(largestLogProbabilityDifference), "largest_logit": number(largestLogit),
      "equal_argmax": .number(equalArgmax),
    ]
  }

  // MARK: - Both sides

  /// The adapter with its factor in its B.
  private static func scaled(_ term: LoRAMerge.Term) -> Adapter {
    if term.factor == 1 { return term.adapter }
    let adapter = term.adapter.copy()
    for module in adapter.modules {
      for i in 0..<module.linear.outputs * module.rank { module.b[i] *= Float(term.factor) }
    }
    return adapter
  }

  /// Tokens drawn from the vocabulary, the same for every model of it.
  private static func batch(_ configuration: ModelConfiguration) -> TokenBatch {
    let tokens = min(tokens, configuration.maxPositions)
    return TokenBatch(
      (0..<sequences).map { sequence in
        let random = Philox(seed: 0, name: "logit check/\(sequence)")
        return (0..<tokens).map { Int32(random.integer(UInt64($0), below: configuration.vocabularySize)) }
      })
  }

  /// (tokens, vocabulary)
  private static func logits(_ weights: ModelWeights, _ batch: TokenBatch, _ pool: ThreadPool) -> [Float] {
    let transformer = Transformer(weights, pool: pool)
    let width = weights.configuration.vocabularySize
    let activations = Activations(weights.configuration, tokens: batch.count, targets: batch.count, purpose: .inference)
    transformer.forward(batch, activations)
    var logits: [Float] = []
    logits.reserveCapacity(batch.count * width)
    transformer.logits(after: (0..<batch.count).map(Int32.init), activations) { rows, values in
      logits += UnsafeBufferPointer(start: values, count: rows.count * width)
    }
    return logits
  }

  /// Infinite once a number is not one.
  private static func larger(_ largest: Float, _ value: Float) -> Float { value.isNaN ? .infinity : max(largest, abs(value)) }

  /// The first of the largest.
  private static func argmax(_ values: UnsafePointer<Float>, _ count: Int) -> Int {
    var place = 0
    for i in 1..<max(count, 1) where values[i] > values[place] { place = i }
    return place
  }

  private static let sequences = 4
  private static let tokens = 16
}
