import Kernels
import Modeling
import Synchronization

/// The slices of one tensor of every model, read as often as a method asks, by all threads of the pool where the tensor is large.
package struct TensorPasses {
  package let tensor: TensorRecord
  let reader: SliceReader
  let pool: ThreadPool

  /// Elements that one task goes through, slice by slice: a whole number of slices.
  static let spanSize = 16 * SliceReader.sliceSize

  static func spans(_ count: Int) -> [Range<Int>] { stride(from: 0, to: count, by: spanSize).map { $0..<min($0 + spanSize, count) } }

  static func slices(_ span: Range<Int>) -> [Range<Int>] {
    stride(from: span.lowerBound, to: span.upperBound, by: SliceReader.sliceSize).map {
      $0..<min($0 + SliceReader.sliceSize, span.upperBound)
    }
  }

  /// Goes through the tensor once. Spans of a fixed size have a state each, to which their slices are added in order; the states come back
  /// in the order of the spans, so that what is made of them does not depend on the threads.
  package func fold<State: Sendable>(
    from initial: State, _ body: @Sendable (inout State, MergeSlice) -> Void
  ) throws(ModelError) -> [State] {
    let spans = Self.spans(tensor.count)
    let states = Mutex<[State?]>(Array(repeating: nil, count: spans.count))
    try pool.runThrowing(spans.count) { index throws(ModelError) in
      var state = initial
      for elements in Self.slices(spans[index]) {
        try reader.withSlice(tensor, elements) { slice throws(ModelError) in body(&state, slice) }
      }
      states.withLock { [state] in $0[index] = state }
    }
    return states.withLock { $0.compactMap(\.self) }
  }

  /// Goes through the tensor once for counts, which may be added in any order: one sum is kept, whatever the size of the tensor.
  package func tally<State: Sendable>(
    from initial: State, adding add: @Sendable (inout State, State) -> Void, _ body: @Sendable (inout State, MergeSlice) -> Void
  ) throws(ModelError) -> State {
    let spans = Self.spans(tensor.count)
    let total = Mutex(initial)
    try pool.runThrowing(spans.count) { index throws(ModelError) in
      var state = initial
      for elements in Self.slices(spans[index]) {
        try reader.withSlice(tensor, elements) { slice throws(ModelError) in body(&state, slice) }
      }
      total.withLock { [state] in add(&$0, state) }
    }
    return total.withLock { $0 }
  }
}
