import Kernels
import Modeling

/// What an optimizer knows beside the weights, as an artifact: so that a training may go on with the moments of the one before it.
///
/// One safetensors file, float32: `exp_avg.NAME` and `exp_avg_sq.NAME` of every tensor that trained, as torch's AdamW calls its moments, and
/// in the metadata `step`, the updates that they have seen (they weigh in the bias correction).
package struct OptimizerFile {
  package let path: String

  package init(_ path: String) { self.path = path }

  private static let first = "exp_avg."
  private static let second = "exp_avg_sq."
  private static let stepKey = "step"

  func write(_ optimizer: Optimizer, updates: Int) throws(ModelError) {
    let entries = optimizer.layout.entries
    let writer = try SafetensorsWriter(
      path: path,
      declaring: [Self.first, Self.second].flatMap { prefix in
        entries.map { TensorDeclaration(name: prefix + $0.name, type: .f32, shape: $0.shape) }
      },
      metadata: SafetensorsWriter.pytorchFormat + [(Self.stepKey, String(updates))])
    for tensor in writer.tensors {
      let isFirst = tensor.name.utf8.starts(with: Self.first.utf8)
      let name = String(tensor.name.dropFirst((isFirst ? Self.first : Self.second).count))
      guard let entry = optimizer.layout[name] else { preconditionFailure("a moment of '\(name)', which does not train") }
      try writer.write((isFirst ? optimizer.first : optimizer.second).pointer + entry.offset, count: entry.count, to: tensor)
    }
    try writer.finish()
  }

  /// Fills the moments; answers how many updates they have seen.
  /// - Throws: for a file that is no optimizer's, and for moments of other tensors than those that train.
  func read(into optimizer: Optimizer) throws(ModelError) -> Int {
    let file = try SafetensorsFile(path: path)
    do throws(ModelError) {
      guard let text = file.header.metadata.first(where: { $0.key.utf8.elementsEqual(Self.stepKey.utf8) })?.value,
        let updates = Int(text), updates >= 0
      else { throw ModelError("is no optimizer's state: its metadata has no '\(Self.stepKey)'") }
      for entry in optimizer.layout.entries {
        for (prefix, buffer) in [(Self.first, optimizer.first), (Self.second, optimizer.second)] {
          guard let tensor = file[prefix + entry.name] else { throw ModelError("lacks '\(prefix + entry.name)', which trains here") }
          guard tensor.shape == entry.shape else {
            throw ModelError("'\(tensor.name)' is \(tensor.shape) where the tensor that trains is \(entry.shape)")
          }
          try file.readFloats(tensor, 0..<tensor.count, into: buffer.pointer + entry.offset)
          if FloatConversion.firstNonFinite(buffer.pointer + entry.offset, count: entry.count) != nil {
            throw ModelError("'\(tensor.name)' is not finite")
          }
        }
      }
      guard file.tensors.count == 2 * optimizer.layout.entries.count else {
        let known = Set(optimizer.layout.entries.flatMap { [Self.first + $0.name, Self.second + $0.name] })
        let other = file.tensors.first { !known.contains($0.name) }?.name ?? ""
        throw ModelError("holds '\(other)', which does not train here")
      }
      return updates
    } catch {
      throw ModelError(error.message, file: path)
    }
  }
}
