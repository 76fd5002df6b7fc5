import Kernels

/// The forward pass of a decoder-only Transformer over packed records. Knows nothing of losses, sampling or files.
///
/// `@unchecked Sendable`: holds what it is given; the activations that a pass writes are the caller's.
package final class Transformer: @unchecked Sendable {
  package let weights: ModelWeights
  package let pool: ThreadPool
  /// The longest record there can be.
  package let maximumPositions: Int
  let attention: AttentionShape
  let queryHeads: RotaryHeads
  let keyHeads: RotaryHeads
  let epsilon: Float

  package var configuration: ModelConfiguration { weights.configuration }

  /// `maximumPositions`: the configuration's own limit when nil, but no more than 32768.
  package init(_ weights: ModelWeights, pool: ThreadPool, maximumPositions: Int? = nil) {
    let c = weights.configuration
    self.weights = weights
    self.pool = pool
    self.maximumPositions = maximumPositions ?? min(c.maxPositions, 32768)
    epsilon = Float(c.normEpsilon)
    let table = RotaryTable(positions: self.maximumPositions, frequencies: Self.rotaryFrequencies(c))
    queryHeads = RotaryHeads(heads: c.heads, dimension: c.headDimension, epsilon: epsilon, table: table)
    keyHeads = RotaryHeads(heads: c.keyValueHeads, dimension: c.headDimension, epsilon: epsilon, table: table)
    attention = AttentionShape(
      heads: c.heads, keyValueHeads: c.keyValueHeads, headDimension: c.headDimension,
      scale: Float(1 / Double(c.headDimension).squareRoot()))
  }

  private static func rotaryFrequencies(_ c: ModelConfiguration) -> [Float] {
    RotaryTable.frequencies(dimension: c.headDimension, theta: c.ropeTheta).map { Float(c.ropeScaling?.scaled($0) ?? $0) }
  }

  /// Runs every layer; leaves the residual stream in `activations.finalStream` (tokens, hidden), before the final norm.
  /// `keep` sees each layer's rotated keys and its values.
  /// `dropout`: of the last adapter's inputs, in training.
  package func forward(
    _ batch: TokenBatch, _ a: Activations, dropout: DropoutDraw? = nil, keep: ((_ layer: Int, ProjectionViews) -> Void)? = nil
  ) {
    let c = configuration
    precondition(batch.count <= a.maximumTokens, "\(batch.count) tokens in activations for \(a.maximumTokens)")
    precondition(batch.longestSequence <= maximumPositions, "a record of \(batch.longestSequence) tokens; \(maximumPositions) positions")
    precondition(batch.tokens.allSatisfy { $0 >= 0 && $0 < c.vocabularySize }, "a token id outside the vocabulary of \(c.vocabularySize)")
    Embedding.forward(
      pool, rows: batch.count, width: c.hiddenSize, tokens: batch.tokens, table: weights.tensors.embedding, y: a.layer(0).input)
    let pass = AdapterPass(memory: a.adapters, dropout: dropout)
    for (index, layer) in weights.layers.enumerated() {
      let views = forward(layer, batch, a, a.layer(index), pass)
      keep?(index, views)
    }
  }

  /// middle = input + Wₒ·attention(norm(input));  output = middle + W_down·swiglu(norm(middle)).
  private func forward(
    _ layer: ModelWeights.Layer, _ batch: TokenBatch, _ a: Activations, _ at: Activations.Layer, _ pass: AdapterPass
  ) -> ProjectionViews {
    let c = configuration
    let rows = batch.count
    forwardProjections(layer, rows, input: at.input, copy: at.middle, a.normal.pointer, at.projection, pass)
    let views = projectionViews(at.projection, a.rotated)
    rotate(layer, rows, batch.positions, at.projection, views)
    attentionForward(
      pool, attention, batch.attentionRecords, q: views.query, ldq: views.ldq, k: views.key, ldk: views.ldk, v: views.value,
      ldv: views.ldv, out: at.mixture, ldo: c.queryWidth, logSumExp: at.logSum)
    layer.output.forward(pool, rows: rows, x: at.mixture, ldx: c.queryWidth, y: at.middle, ldy: c.hiddenSize, accumulate: true, pass)
    forwardMLP(layer, rows, a.normal.pointer, at.middle, at.gate, a.inner.pointer, at.output, pass)
    return views
  }

  // MARK: - Parts that decoding shares

  /// projection (rows, query + 2·keyValue) = norm(input)·Wᵀ [+ bias]; `copy` receives the input.
  func forwardProjections(
    _ layer: ModelWeights.Layer, _ rows: Int, input: Floats, copy: Floats, _ normal: Floats, _ projection: Floats,
    _ pass: AdapterPass
  ) {
    let c = configuration
    let width = layer.queryKeyValue.outputs
    RMSNorm.forward(
      pool, rows: rows, width: c.hiddenSize, x: input, gamma: layer.tensors.inputNorm, epsilon: epsilon, y: normal, copy: copy)
    if let bias = layer.tensors.queryKeyValueBias { Bias.forward(pool, rows: rows, width: width, bias: bias, y: projection) }
    layer.queryKeyValue.forward(
      pool, rows: rows, x: normal, ldx: c.hiddenSize, y: projection, ldy: width, accumulate: layer.tensors.queryKeyValueBias != nil,
      pass)
  }

  /// Head norms and rotation, from the projection to where `views` point.
  func rotate(_ layer: ModelWeights.Layer, _ rows: Int, _ positions: [Int32], _ projection: Floats, _ views: ProjectionViews) {
    let width = layer.queryKeyValue.outputs
    queryHeads.forward(
      pool, rows: rows, positions: positions, x: projection, ldx: width, gamma: layer.tensors.queryNorm, y: views.query, ldy: views.ldq)
    keyHeads.forward(
      pool, rows: rows, positions: positions, x: projection + configuration.queryWidth, ldx: width, gamma: layer.tensors.keyNorm,
      y: views.key, ldy: views.ldk)
  }

  /// output = middle + W_down·swiglu(W_gateup·norm(middle)). In inference `output` and `middle` are one.
  func forwardMLP(
    _ layer: ModelWeights.Layer, _ rows: Int, _ normal: Floats, _ middle: Floats, _ gate: Floats, _ inner: Floats, _ output: Floats,
    _ pass: AdapterPass
  ) {
    let c = configuration
    RMSNorm.forward(
      pool, rows: rows, width: c.hiddenSize, x: middle, gamma: layer.tensors.postNorm, epsilon: epsilon, y: normal, copy: output)
    layer.gateUp.forward(pool, rows: rows, x: normal, ldx: c.hiddenSize, y: gate, ldy: 2 * c.intermediateSize, pass)
    SwiGLU.forward(pool, rows: rows, width: c.intermediateSize, gu: gate, h: inner)
    layer.down.forward(pool, rows: rows, x: inner, ldx: c.intermediateSize, y: output, ldy: c.hiddenSize, accumulate: true, pass)
  }

  /// Query, key and value rows as attention reads them.
  package struct ProjectionViews {
    let query: Floats
    let key: Floats
    let value: Floats
    let ldq: Int
    let ldk: Int
    let ldv: Int
  }

  /// With head norms the projections stay as they are, for the backward pass, and the rotated queries and keys lie in `rotated`; without,
  /// the rotation is in place.
  func projectionViews(_ projection: Floats, _ rotated: FloatBuffer) -> ProjectionViews {
    let c = configuration
    let width = c.queryWidth + 2 * c.keyValueWidth
    let apart = c.headNorm
    let query = apart ? rotated.pointer : projection
    let ld = apart ? c.queryWidth + c.keyValueWidth : width
    return ProjectionViews(
      query: query, key: query + c.queryWidth, value: projection + c.queryWidth + c.keyValueWidth, ldq: ld, ldk: ld, ldv: width)
  }
}
