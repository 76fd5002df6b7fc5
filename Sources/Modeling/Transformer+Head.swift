import Kernels

/// The head: only the hidden states of target positions are gathered, normalised and multiplied with the vocabulary, a block of targets
/// at a time; softmax, statistics and gradient follow while the block is at hand. No (tokens, vocabulary) matrix exists.
extension Transformer {
  /// log p, entropy and correctness of each target, after `forward`. Here and below p = softmax(logits / temperature).
  package func score(_ targets: Targets, _ a: Activations, temperature: Float = 1) -> TargetStatistics {
    checkTargets(targets, a)
    for block in a.headBlocks(targets.count) {
      forwardLogits(block, targets, a)
      forwardSoftmax(block, targets, a, temperature)
    }
    return statistics(targets, a)
  }

  /// log p of every target, from tokens: the forward pass and the head.
  package func logProbabilities(_ batch: TokenBatch, _ targets: Targets, _ a: Activations, temperature: Float = 1) -> [Float] {
    forward(batch, a)
    let statistics = score(targets, a, temperature: temperature)
    return Array(UnsafeBufferPointer(start: statistics.logProbabilities, count: statistics.count))
  }

  /// A whole training pass over one micro-batch: statistics of its targets, and d loss / d parameters added to `gradients`. Tensors of the
  /// model, or of its last adapter, that `gradients` lacks are frozen: nothing is computed for them alone.
  package func train(
    _ batch: TokenBatch, _ targets: Targets, _ loss: TokenLoss, _ a: Activations, gradients: ParameterArena, temperature: Float = 1,
    dropout: DropoutDraw? = nil, distributions: DistributionLoss = .none
  ) -> TargetStatistics {
    checkTargets(targets, a)
    let d = ModelGradients(gradients, weights)
    forward(batch, a, dropout: dropout)
    for reference in distributions.references { reference.forward(batch) }
    a.slope.pointer.update(repeating: 0, count: batch.count * configuration.hiddenSize)
    let statistics = statistics(targets, a)
    if loss.scope == .batch {
      _ = score(targets, a, temperature: temperature)
      loss.slopes(statistics, 0..<targets.count, a.slopes.pointer)
    }
    for block in a.headBlocks(targets.count) {
      if loss.scope == .token || !block.isKept || !distributions.references.isEmpty {
        forwardLogits(block, targets, a)
        for reference in distributions.references {
          reference.match(block.targets, targets, logits: block.logits, share: distributions.share)
        }
        forwardSoftmax(block, targets, a, temperature)
      }
      if loss.scope == .token { loss.slopes(statistics, block.targets, a.slopes.pointer + block.targets.lowerBound) }
      backwardSoftmax(block, targets, a, temperature)
      for reference in distributions.references { reference.add(block.targets, to: block.logits) }
      backwardLogits(block, targets, a, d)
    }
    backward(batch, a, d, dropout: dropout)
    return statistics
  }

  // MARK: - Blocks of targets

  private func checkTargets(_ targets: Targets, _ a: Activations) {
    precondition(targets.count <= a.maximumTargets, "\(targets.count) targets in activations for \(a.maximumTargets)")
    precondition(
      targets.tokens.allSatisfy { $0 >= 0 && $0 < configuration.vocabularySize },
      "a target outside the vocabulary of \(configuration.vocabularySize)")
  }

  private func statistics(_ targets: Targets, _ a: Activations) -> TargetStatistics {
    TargetStatistics(
      count: targets.count, logProbabilities: a.logProbabilities.pointer, entropies: a.entropies.pointer, correct: a.correct.pointer,
      topEntropies: a.topEntropies.count > 0 ? UnsafePointer(a.topEntropies.pointer) : nil)
  }

  /// logits = norm(stream[rows])·Wᵀ.
  private func forwardLogits(_ block: Activations.HeadBlock, _ targets: Targets, _ a: Activations) {
    let c = configuration
    targets.rows.withUnsafeBufferPointer { rows in
      guard let rows = rows.baseAddress else { return }
      RMSNorm.forwardGathered(
        pool, indices: rows + block.targets.lowerBound, rows: block.targets.count, width: c.hiddenSize, x: a.finalStream,
        gamma: weights.tensors.norm, epsilon: epsilon, y: block.gathered)
    }
    weights.head.multiply(
      pool, rows: block.targets.count, x: block.gathered, ldx: c.hiddenSize, y: block.logits, ldy: c.vocabularySize)
  }

  /// The softmax of logits / temperature: the block's logits hold exponentials after.
  private func forwardSoftmax(_ block: Activations.HeadBlock, _ targets: Targets, _ a: Activations, _ temperature: Float) {
    let (first, rows) = (block.targets.lowerBound, block.targets.count)
    let results = SoftmaxCrossEntropy.Results(
      logProbabilities: a.logProbabilities.pointer + first, entropies: a.entropies.pointer + first, correct: a.correct.pointer + first)
    targets.tokens.withUnsafeBufferPointer { tokens in
      guard let tokens = tokens.baseAddress else { return }
      SoftmaxCrossEntropy.forward(
        pool, rows: rows, vocabulary: configuration.vocabularySize, logits: block.logits, targets: tokens + first, results: results,
        normalizers: block.normalizers, temperature: temperature)
    }
    if a.topEntropies.count > 0 {
      TopEntropy.forward(
        pool, rows: rows, vocabulary: configuration.vocabularySize, count: TargetStatistics.topCount, exponentials: block.logits,
        results: a.topEntropies.pointer + first)
    }
  }

  /// From the exponentials of one block to d loss / d logits, in their place.
  private func backwardSoftmax(_ block: Activations.HeadBlock, _ targets: Targets, _ a: Activations, _ temperature: Float) {
    let first = block.targets.lowerBound
    targets.tokens.withUnsafeBufferPointer { tokens in
      guard let tokens = tokens.baseAddress else { return }
      SoftmaxCrossEntropy.backward(
        pool, rows: block.targets.count, vocabulary: configuration.vocabularySize, logits: block.logits, targets: tokens + first,
        slopes: a.slopes.pointer + first, normalizers: block.normalizers, temperature: temperature)
    }
  }

  /// From d loss / d logits to dW of the head where it trains, dγ of the final norm, and the slopes of the residual stream at the block's targets.
  private func backwardLogits(_ block: Activations.HeadBlock, _ targets: Targets, _ a: Activations, _ d: ModelGradients) {
    let c = configuration
    let rows = block.targets.count
    Linear.backwardWeight(
      pool, rows: rows, outputs: c.vocabularySize, inputs: c.hiddenSize, dy: block.logits, x: block.gathered,
      dw: d.head.map { [ColumnGradient(columns: 0..<c.vocabularySize, target: $0)] } ?? [])
    Linear.backwardInput(
      pool, rows: rows, outputs: c.vocabularySize, inputs: c.hiddenSize, dy: block.logits, w: weights.tensors.head, dx: block.gathered)
    targets.rows.withUnsafeBufferPointer { indices in
      guard let indices = indices.baseAddress else { return }
      RMSNorm.backward(
        pool, rows: rows, width: c.hiddenSize, x: a.finalStream, gamma: weights.tensors.norm, epsilon: epsilon, dy: block.gathered,
        dx: a.slope.pointer, dgamma: d.norm, scratch: a.partials.pointer, indices: indices + block.targets.lowerBound)
    }
  }
}
