import Kernels

/// The head: only the hidden states of target positions are gathered, normalised and multiplied with the vocabulary, a block of targets
/// at a time; softmax, statistics and gradient follow while the block is at hand. No (tokens, vocabulary) matrix exists.
extension Transformer {
  /// log p, entropy and correctness of each target, after `forward`. Here and below p = softmax(logits / temperature).
  package func score(_ targets: Targets, _ a: Activations, temperature: Float = 1) -> TargetStatistics {
    checkTargets(targets, a)
    for block in blocks(targets, a) { forwardHead(block, targets, a, temperature) }
    return statistics(targets, a)
  }

  /// log p of every target, from tokens: the forward pass and the head.
  package func logProbabilities(_ batch: TokenBatch, _ targets: Targets, _ a: Activations, temperature: Float = 1) -> [Float] {
    forward(batch, a)
    let statistics = score(targets, a, temperature: temperature)
    return Array(UnsafeBufferPointer(start: statistics.logProbabilities, count: statistics.count))
  }

  /// A whole training pass over one micro-batch: statistics of its targets, and d loss / d parameters added to `gradients`.
  package func train(
    _ batch: TokenBatch, _ targets: Targets, _ loss: TokenLoss, _ a: Activations, gradients: ParameterArena, temperature: Float = 1
  ) -> TargetStatistics {
    checkTargets(targets, a)
    let d = ModelTensors(gradients, configuration)
    forward(batch, a)
    a.slope.pointer.update(repeating: 0, count: batch.count * configuration.hiddenSize)
    let statistics = statistics(targets, a)
    if loss.scope == .batch {
      _ = score(targets, a, temperature: temperature)
      loss.slopes(statistics, 0..<targets.count, a.slopes.pointer)
    }
    for block in blocks(targets, a) {
      forwardHead(block, targets, a, temperature)
      if loss.scope == .token { loss.slopes(statistics, block, a.slopes.pointer + block.lowerBound) }
      backwardHead(block, targets, a, temperature, d)
    }
    backward(batch, a, d)
    return statistics
  }

  // MARK: - Blocks of targets

  private func blocks(_ targets: Targets, _ a: Activations) -> [Range<Int>] {
    stride(from: 0, to: targets.count, by: a.headRows).map { $0..<min(targets.count, $0 + a.headRows) }
  }

  private func checkTargets(_ targets: Targets, _ a: Activations) {
    precondition(targets.count <= a.maximumTargets, "\(targets.count) targets in activations for \(a.maximumTargets)")
    precondition(
      targets.tokens.allSatisfy { $0 >= 0 && $0 < configuration.vocabularySize },
      "a target outside the vocabulary of \(configuration.vocabularySize)")
  }

  private func statistics(_ targets: Targets, _ a: Activations) -> TargetStatistics {
    TargetStatistics(
      count: targets.count, logProbabilities: a.logProbabilities.pointer, entropies: a.entropies.pointer, correct: a.correct.pointer)
  }

  /// logits = norm(stream[rows])·Wᵀ, then the softmax of logits / temperature: `a.logits` hold exponentials after.
  private func forwardHead(_ block: Range<Int>, _ targets: Targets, _ a: Activations, _ temperature: Float) {
    let c = configuration
    targets.rows.withUnsafeBufferPointer { rows in
      guard let rows = rows.baseAddress else { return }
      RMSNorm.forwardGathered(
        pool, indices: rows + block.lowerBound, rows: block.count, width: c.hiddenSize, x: a.finalStream, gamma: weights.tensors.norm,
        epsilon: epsilon, y: a.gathered.pointer)
    }
    weights.head.forward(
      pool, rows: block.count, x: a.gathered.pointer, ldx: c.hiddenSize, y: a.logits.pointer, ldy: c.vocabularySize)
    let results = SoftmaxCrossEntropy.Results(
      logProbabilities: a.logProbabilities.pointer + block.lowerBound, entropies: a.entropies.pointer + block.lowerBound,
      correct: a.correct.pointer + block.lowerBound)
    targets.tokens.withUnsafeBufferPointer { tokens in
      guard let tokens = tokens.baseAddress else { return }
      SoftmaxCrossEntropy.forward(
        pool, rows: block.count, vocabulary: c.vocabularySize, logits: a.logits.pointer, targets: tokens + block.lowerBound,
        results: results, normalizers: a.normalizers.pointer, temperature: temperature)
    }
  }

  /// From the exponentials of one block to dW of the head, dγ of the final norm, and the slopes of the residual stream at its targets.
  private func backwardHead(_ block: Range<Int>, _ targets: Targets, _ a: Activations, _ temperature: Float, _ d: ModelTensors) {
    let c = configuration
    targets.tokens.withUnsafeBufferPointer { tokens in
      guard let tokens = tokens.baseAddress else { return }
      SoftmaxCrossEntropy.backward(
        pool, rows: block.count, vocabulary: c.vocabularySize, logits: a.logits.pointer, targets: tokens + block.lowerBound,
        slopes: a.slopes.pointer + block.lowerBound, normalizers: a.normalizers.pointer, temperature: temperature)
    }
    Linear.backwardWeight(
      pool, rows: block.count, outputs: c.vocabularySize, inputs: c.hiddenSize, dy: a.logits.pointer, x: a.gathered.pointer, dw: d.head)
    Linear.backwardInput(
      pool, rows: block.count, outputs: c.vocabularySize, inputs: c.hiddenSize, dy: a.logits.pointer, w: weights.tensors.head,
      dx: a.gathered.pointer)
    targets.rows.withUnsafeBufferPointer { rows in
      guard let rows = rows.baseAddress else { return }
      RMSNorm.backward(
        pool, rows: block.count, width: c.hiddenSize, x: a.finalStream, gamma: weights.tensors.norm, epsilon: epsilon,
        dy: a.gathered.pointer, dx: a.slope.pointer, dgamma: d.norm, scratch: a.partials.pointer, indices: rows + block.lowerBound)
    }
  }
}
