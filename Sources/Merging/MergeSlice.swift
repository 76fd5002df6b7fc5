import Kernels
import Modeling

/// The same elements of one tensor of every model, as float32, and the place for the result. All of it is scratch: a method may write over
/// the sources.
package struct MergeSlice {
  /// As the first model has it; its type is that of the file, not of these values.
  package let tensor: TensorRecord
  /// Elements of the tensor, row-major.
  package let elements: Range<Int>
  /// One pointer a model, in the order of the models.
  package let sources: [Floats]
  package let target: Floats

  package var count: Int { elements.count }
}
