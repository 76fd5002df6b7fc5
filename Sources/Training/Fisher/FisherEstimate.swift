import JSONValues
import Kernels
import Modeling

/// The diagonal Fisher information of a model on records, one sample at a time: F_i = mean over records of (∂ log p(targets) / ∂θ_i)²,
/// log p summed over the record's targets.
///
/// The targets are the data's (the empirical Fisher), or drawn from the model's own distribution at the same places (the true Fisher of its
/// predictions there: E over y ~ p_θ). Every record is a pass of its own, so the sums do not depend on batches, nor on threads.
package final class FisherEstimate {
  package enum Labels: Sendable, Equatable {
    case data
    /// One draw a target, from this seed.
    case model(seed: UInt64)
  }

  /// Records measured, and how many there are.
  package private(set) var done = 0
  package var total: Int { records.count }
  private let model: Transformer
  private let records: [TokenizedRecord]
  private let labels: Labels
  private let gradients: ParameterArena
  /// Σ (∂ log p)² so far.
  private let sums: ParameterArena
  private let activations: Activations

  private static let format = "heirloom fisher estimate 1"

  /// Records without targets are left out.
  package init(_ model: Transformer, _ records: [TokenizedRecord], labels: Labels) throws(TrainingError) {
    try TrainingRun.check(records, model)
    self.model = model
    self.records = records.filter { $0.targetCount > 0 }
    self.labels = labels
    gradients = ParameterArena(model.weights.arena.layout)
    sums = ParameterArena(model.weights.arena.layout)
    activations = Activations(
      model.configuration, tokens: self.records.map(\.ids.count).max() ?? 0, targets: self.records.map(\.targetCount).max() ?? 0,
      purpose: .training)
  }

  /// Measures the next record.
  package func step() throws(TrainingError) {
    let batch = MicroBatch([done], of: records)
    let targets = labels == .data ? batch.targets : drawn(batch)
    let statistics = model.train(batch.tokens, targets, Self.logLikelihood, activations, gradients: gradients)
    for target in 0..<statistics.count where !statistics.logProbabilities[target].isFinite {
      throw .notFinite(quantity: "a log-probability of record \(done + 1)", step: done + 1)
    }
    SquareSum.add(model.pool, count: sums.count, gradients: gradients.pointer, to: sums.pointer)
    done += 1
  }

  /// F + γ·F_previous, in the place of the sums: once, at the end.
  package func finish(previous: ParameterArena? = nil, gamma: Double = 1) -> ParameterArena {
    precondition(previous.map { $0.layout == sums.layout } ?? true, "an earlier Fisher of another layout")
    SquareSum.blend(
      model.pool, count: sums.count, sums.pointer, factor: Float(1 / Double(max(1, done))),
      more: previous.map { UnsafePointer($0.pointer) },
      decay: Float(gamma))
    return sums
  }

  private static var logLikelihood: TokenLoss {
    TokenLoss { _, range, slopes in
      for index in 0..<range.count { slopes[index] = 1 }
    }
  }

  // MARK: - Labels of the model

  /// The same rows with tokens drawn from the model's distribution there; a forward pass of its own.
  private func drawn(_ batch: MicroBatch) -> Targets {
    guard case .model(let seed) = labels else { return batch.targets }
    let random = Philox(seed: seed, name: "fisher/\(done)")
    let vocabulary = model.configuration.vocabularySize
    var targets = Targets()
    model.forward(batch.tokens, activations)
    model.logits(after: batch.targets.rows, activations) { range, logits in
      for (place, target) in range.enumerated() {
        let token = Self.draw(logits + place * vocabulary, vocabulary, random.uniformDouble(UInt64(target)))
        targets.append(row: Int(batch.targets.rows[target]), token: Int32(token))
      }
    }
    return targets
  }

  /// The token at which the running sum of exponentials passes this share of the whole.
  private static func draw(_ logits: Floats, _ count: Int, _ share: Double) -> Int {
    let (_, first) = SoftmaxCrossEntropy.exponentiate(logits, count: count)
    var sum = 0.0
    for i in 0..<count { sum += Double(logits[i]) }
    var left = share * sum
    for i in 0..<count {
      left -= Double(logits[i])
      if left < 0 { return i }
    }
    return first
  }

  // MARK: - Checkpoints

  /// `binding`: what the estimate depends on beside the records and the model.
  package func save(to path: String, binding: [(name: String, value: String)]) throws(TrainingError) {
    try file(path, binding).write(JSONObject([("records", .integer(done))]), [sums.buffer])
  }

  /// Goes on from a checkpoint, where there is one.
  package func resume(from path: String, binding: [(name: String, value: String)]) throws(TrainingError) {
    guard StateFile.exists(path) else { return }
    let header = try file(path, binding).read([sums.buffer])
    guard let records = header["records"]?.integerValue, (0...total).contains(records) else {
      throw .damagedCheckpoint(path: path, reason: "its header lacks its counter")
    }
    done = records
  }

  private func file(_ path: String, _ binding: [(name: String, value: String)]) -> StateFile {
    StateFile(
      path, format: Self.format,
      binding: TrainingBinding(
        [("model configuration", model.configuration.json(dtype: "float32").encoded()), ("labels", "\(labels)")] + binding
          + [("data", TrainingBinding.fingerprint(records))]))
  }
}
