import Kernels

extension ModelWeights {
  /// Packs the matrices again from `arena`, in place: for weights that are trained and sampled from in turn. Only for weights that were
  /// packed without `release`.
  package func repack(_ pool: ThreadPool) {
    precondition(isPacked, "only packed weights are packed again")
    for layer in layers {
      repack(layer.queryKeyValue, layer.tensors.queryKeyValue, pool)
      repack(layer.output, layer.tensors.output, pool)
      repack(layer.gateUp, layer.tensors.gateUp, pool)
      repack(layer.down, layer.tensors.down, pool)
    }
    repack(head, tensors.head, pool)
  }

  private func repack(_ linear: Linear, _ weights: Floats, _ pool: ThreadPool) {
    if case .packed(let matrix) = linear.weight { matrix.pack(pool, weights: weights) }
  }
}
