import Kernels

/// The masks that a pass has drawn, one for each product of each layer: a bit an element, kept for the backward pass, which asks for each
/// several times more.
///
/// `@unchecked Sendable`: belongs to one pass at a time.
final class DropoutMasks: @unchecked Sendable {
  private struct Place: Hashable {
    let layer: Int
    let product: LinearModule.Product
  }

  private struct Drawn {
    var source: DropoutMask.Source
    let bits: UnsafeMutablePointer<UInt64>
    let capacity: Int

    init(_ source: DropoutMask.Source) {
      self.source = source
      capacity = source.words
      bits = .allocate(capacity: capacity)
      bits.initialize(repeating: 0, count: capacity)
    }
  }

  private var drawn: [Place: Drawn] = [:]

  deinit { for mask in drawn.values { mask.bits.deallocate() } }

  /// The mask as it is there, or drawn in the place of the last one of this product of this layer.
  func mask(_ source: DropoutMask.Source, _ pool: ThreadPool) -> DropoutMask {
    let place = Place(layer: source.layer, product: source.product)
    var mask = drawn[place] ?? Drawn(source)
    if drawn[place]?.source != source {
      if mask.capacity < source.words {
        mask.bits.deallocate()
        mask = Drawn(source)
      }
      mask.source = source
      source.draw(pool, mask.bits)
      drawn[place] = mask
    }
    return DropoutMask(source: source, bits: mask.bits)
  }
}
