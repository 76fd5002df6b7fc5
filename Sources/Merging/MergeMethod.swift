import Modeling

/// A way to combine the values of several models: a name, and for each tensor one function over its slices. Knows nothing of files.
///
/// The engine calls the function for one slice of a tensor after another, from several threads at once: what it does for an element may
/// depend on that element of every model, its place, the tensor, and what was counted in earlier passes over the tensor; nothing else.
package struct MergeMethod: Sendable {
  package typealias Combine = @Sendable (MergeSlice) -> Void

  package enum Preparation: Sendable {
    /// The same function for every tensor.
    case none(Combine)
    /// The function is made from passes over the tensor: norms, thresholds.
    case passes(@Sendable (TensorPasses) throws(ModelError) -> Combine)
  }

  /// As mergekit names it.
  package let name: String
  package let preparation: Preparation

  package init(name: String, combine: @escaping Combine) {
    self.name = name
    preparation = .none(combine)
  }

  package init(name: String, preparing prepare: @escaping @Sendable (TensorPasses) throws(ModelError) -> Combine) {
    self.name = name
    preparation = .passes(prepare)
  }
}
