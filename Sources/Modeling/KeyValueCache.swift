import Kernels

/// Keys and values of a fixed number of slots, each for `capacity` positions of one sequence (or of one prompt that several samples share).
/// Layout: slot, layer, key or value, head, position, dimension. Only touched memory is real. Knows nothing of what a slot is used for.
///
/// `@unchecked Sendable`: whoever runs the model writes it.
package final class KeyValueCache: @unchecked Sendable {
  package let slots: Int
  package let capacity: Int
  private let layers: Int
  private let heads: Int
  private let dimension: Int
  private let buffer: FloatBuffer

  package init(_ configuration: ModelConfiguration, slots: Int, capacity: Int) {
    self.slots = slots
    self.capacity = capacity
    layers = configuration.layers
    heads = configuration.keyValueHeads
    dimension = configuration.headDimension
    buffer = FloatBuffer(count: slots * Self.floats(configuration, capacity: capacity))
  }

  /// Floats one slot takes.
  package static func floats(_ configuration: ModelConfiguration, capacity: Int) -> Int {
    configuration.layers * 2 * configuration.keyValueWidth * capacity
  }

  /// Floats from one layer's keys and values to the next one's, in every slot.
  var layerStride: Int { 2 * heads * capacity * dimension }

  private func keys(layer: Int, slot: Int) -> Floats {
    buffer.pointer + (slot * layers + layer) * layerStride
  }

  /// The first `count` positions, as attention reads them.
  func segment(layer: Int, slot: Int, count: Int) -> KeyValueSegment {
    let keys = keys(layer: layer, slot: slot)
    return KeyValueSegment(
      keys: keys, values: keys + heads * capacity * dimension, count: count, rowStride: dimension, headStride: capacity * dimension)
  }

  /// Stores one position's rotated keys and values (heads × dimension each).
  func store(layer: Int, slot: Int, position: Int, key: UnsafePointer<Float>, value: UnsafePointer<Float>) {
    precondition(position < capacity, "position \(position) in a cache for \(capacity)")
    let keys = keys(layer: layer, slot: slot) + position * dimension
    let values = keys + heads * capacity * dimension
    for head in 0..<heads {
      (keys + head * capacity * dimension).update(from: key + head * dimension, count: dimension)
      (values + head * capacity * dimension).update(from: value + head * dimension, count: dimension)
    }
  }
}
