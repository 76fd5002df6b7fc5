import Kernels

/// The backward pass: from d loss / d residual stream after the last layer, in `activations.slope`, to the gradients that are wanted, which
/// are added to what their arena holds. It ends at the lowest layer that trains. Needs the activations of a training pass over the same
/// batch; it consumes them.
extension Transformer {
  func backward(_ batch: TokenBatch, _ a: Activations, _ gradients: ModelGradients, dropout: DropoutDraw?) {
    precondition(a.purpose == .training, "backward needs the activations of a training pass")
    precondition(a.lowestLayer <= gradients.lowestLayer, "activations kept from layer \(a.lowestLayer), \(gradients.lowestLayer) trains")
    precondition(!weights.isPacked, "backward needs weights in an arena")
    let pass = AdapterPass(memory: a.adapters, dropout: dropout)
    for index in (gradients.lowestLayer..<configuration.layers).reversed() {
      recompute(weights.layers[index], batch, a, a.layer(index), pass)
      backwardMLP(weights.layers[index], batch.count, a, a.layer(index), gradients.layers[index], pass)
      backwardAttention(weights.layers[index], batch, a, a.layer(index), gradients.layers[index], pass)
    }
    guard let embedding = gradients.embedding else { return }
    Embedding.backward(
      pool, rows: batch.count, width: configuration.hiddenSize, tokens: batch.tokens, dtable: embedding, dy: a.slope.pointer)
  }

  /// mixture and middle of a layer again, by the forward pass's own operations: a twenty-fifth of the step's time, against a fifth of the
  /// activations' memory.
  private func recompute(
    _ layer: ModelWeights.Layer, _ batch: TokenBatch, _ a: Activations, _ at: Activations.Layer, _ pass: AdapterPass
  ) {
    let c = configuration
    let rows = batch.count
    let views = projectionViews(at.projection, a.rotated)
    if c.headNorm { rotate(layer, rows, batch.positions, at.projection, views) }
    attentionForward(
      pool, attention, batch.attentionRecords, q: views.query, ldq: views.ldq, k: views.key, ldk: views.ldk, v: views.value,
      ldv: views.ldv, out: at.mixture, ldo: c.queryWidth, logSumExp: at.logSum)
    at.middle.update(from: at.input, count: rows * c.hiddenSize)
    layer.output.forward(pool, rows: rows, x: at.mixture, ldx: c.queryWidth, y: at.middle, ldy: c.hiddenSize, accumulate: true, pass)
  }

  /// forward: output = middle + swiglu(norm(middle)·Wgᵀ)·Wdᵀ.
  private func backwardMLP(
    _ layer: ModelWeights.Layer, _ rows: Int, _ a: Activations, _ at: Activations.Layer, _ d: LayerGradients, _ pass: AdapterPass
  ) {
    let (hidden, intermediate) = (configuration.hiddenSize, configuration.intermediateSize)
    let slope = a.slope.pointer
    let inner = a.inner.pointer
    let normal = a.normal.pointer
    // inner: dh, then h;  gate: (g, u), then (dg, du);  normal: dn, then n.
    if layer.down.adapters.isEmpty {
      Linear.backwardInput(pool, rows: rows, outputs: hidden, inputs: intermediate, dy: slope, w: layer.tensors.down, dx: inner)
    } else {
      SwiGLU.forward(pool, rows: rows, width: intermediate, gu: at.gate, h: inner)
      layer.down.backward(pool, rows: rows, x: inner, dy: slope, .kept, dx: inner, d.adapters[.down], pass)
    }
    SwiGLU.backward(pool, rows: rows, width: intermediate, gu: at.gate, dh: inner)
    Linear.backwardWeight(pool, rows: rows, outputs: hidden, inputs: intermediate, dy: slope, x: inner, dw: d.down)
    if layer.gateUp.adapters.isEmpty {
      Linear.backwardInput(pool, rows: rows, outputs: 2 * intermediate, inputs: hidden, dy: at.gate, w: layer.tensors.gateUp, dx: normal)
    } else {
      RMSNorm.forward(
        pool, rows: rows, width: hidden, x: at.middle, gamma: layer.tensors.postNorm, epsilon: epsilon, y: normal, copy: nil)
      layer.gateUp.backward(pool, rows: rows, x: normal, dy: at.gate, .consumed, dx: normal, d.adapters[.gateUp], pass)
    }
    RMSNorm.backward(
      pool, rows: rows, width: hidden, x: at.middle, gamma: layer.tensors.postNorm, epsilon: epsilon, dy: normal, dx: slope,
      dgamma: d.postNorm, scratch: a.partials.pointer)
    Linear.backwardWeight(pool, rows: rows, outputs: 2 * intermediate, inputs: hidden, dy: at.gate, x: normal, dw: d.gateUp)
  }

  /// forward: middle = input + attention(rotate(norm(input)·Wᵀ [+ b]))·Wₒᵀ.
  private func backwardAttention(
    _ layer: ModelWeights.Layer, _ batch: TokenBatch, _ a: Activations, _ at: Activations.Layer, _ d: LayerGradients, _ pass: AdapterPass
  ) {
    let c = configuration
    let rows = batch.count
    let width = layer.queryKeyValue.outputs
    let slope = a.slope.pointer
    let normal = a.normal.pointer
    let mixtureSlope = a.mixtureSlope.pointer
    let projectionSlope = a.projectionSlope.pointer
    if layer.output.adapters.isEmpty {
      Linear.backwardInput(
        pool, rows: rows, outputs: c.hiddenSize, inputs: c.queryWidth, dy: slope, w: layer.tensors.output, dx: mixtureSlope)
    } else {
      layer.output.backward(pool, rows: rows, x: at.mixture, dy: slope, .kept, dx: mixtureSlope, d.adapters[.output], pass)
    }
    Linear.backwardWeight(pool, rows: rows, outputs: c.hiddenSize, inputs: c.queryWidth, dy: slope, x: at.mixture, dw: d.output)

    let views = projectionViews(at.projection, a.rotated)
    attentionBackward(
      pool, attention, batch.attentionRecords, q: views.query, ldq: views.ldq, k: views.key, ldk: views.ldk, v: views.value,
      ldv: views.ldv, out: at.mixture, ldo: c.queryWidth, logSumExp: at.logSum, dOut: mixtureSlope, lddo: c.queryWidth,
      dq: projectionSlope, lddq: width, dk: projectionSlope + c.queryWidth, lddk: width,
      dv: projectionSlope + c.queryWidth + c.keyValueWidth, lddv: width)
    queryHeads.backward(
      pool, rows: rows, positions: batch.positions, x: at.projection, ldx: width, gamma: layer.tensors.queryNorm, dy: projectionSlope,
      ldy: width, dgamma: d.queryNorm, scratch: a.partials.pointer)
    keyHeads.backward(
      pool, rows: rows, positions: batch.positions, x: at.projection + c.queryWidth, ldx: width, gamma: layer.tensors.keyNorm,
      dy: projectionSlope + c.queryWidth, ldy: width, dgamma: d.keyNorm, scratch: a.partials.pointer)
    for bias in d.queryKeyValueBias {
      Bias.backward(
        pool, rows: rows, width: bias.columns.count, dbias: bias.target, dy: projectionSlope + bias.columns.lowerBound, lddy: width)
    }

    if layer.queryKeyValue.adapters.isEmpty {
      Linear.backwardInput(
        pool, rows: rows, outputs: width, inputs: c.hiddenSize, dy: projectionSlope, w: layer.tensors.queryKeyValue, dx: normal)
    } else {
      RMSNorm.forward(
        pool, rows: rows, width: c.hiddenSize, x: at.input, gamma: layer.tensors.inputNorm, epsilon: epsilon, y: normal, copy: nil)
      layer.queryKeyValue.backward(
        pool, rows: rows, x: normal, dy: projectionSlope, .consumed, dx: normal, d.adapters[.queryKeyValue], pass)
    }
    RMSNorm.backward(
      pool, rows: rows, width: c.hiddenSize, x: at.input, gamma: layer.tensors.inputNorm, epsilon: epsilon, dy: normal, dx: slope,
      dgamma: d.inputNorm, scratch: a.partials.pointer)
    Linear.backwardWeight(pool, rows: rows, outputs: width, inputs: c.hiddenSize, dy: projectionSlope, x: normal, dw: d.queryKeyValue)
  }
}
