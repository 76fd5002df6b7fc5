import Kernels

/// One flat allocation with every parameter (or gradient, or moment) of a model, and named views into it.
///
/// `@unchecked Sendable`: owns its memory; whoever writes (a loader, an optimizer) is alone with it while it does, as the training loop
/// and the loaders arrange.
package final class ParameterArena: @unchecked Sendable {
  package let layout: ParameterLayout
  package let buffer: FloatBuffer

  /// All zero.
  package init(_ layout: ParameterLayout) {
    self.layout = layout
    buffer = FloatBuffer(count: layout.count)
  }

  package convenience init(_ configuration: ModelConfiguration) { self.init(ParameterLayout(configuration)) }

  package var count: Int { layout.count }
  package var pointer: Floats { buffer.pointer }

  /// The tensor of that name, row-major; asking for one the layout lacks is a programmer's mistake.
  package func view(_ name: String) -> Floats {
    guard let entry = layout[name] else { preconditionFailure("no tensor '\(name)' in this layout") }
    return buffer.pointer + entry.offset
  }
}
