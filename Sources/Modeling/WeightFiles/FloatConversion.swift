/// Conversions between stored floating-point formats and Float, over whole arrays; little-endian, as both file formats are.
package enum FloatConversion {
  /// Widens or narrows `count` stored values to Float; F64 rounds to nearest even. `source` is aligned to its type.
  package static func load(_ source: UnsafeRawPointer, _ type: ElementType, count: Int, to target: UnsafeMutablePointer<Float>) {
    switch type {
    case .f32:
      target.update(from: source.assumingMemoryBound(to: Float.self), count: count)
    case .bf16:
      let bits = source.assumingMemoryBound(to: UInt16.self)
      for i in 0..<count { target[i] = Float(bitPattern: UInt32(truncatingIfNeeded: bits[i]) &<< 16) }
    case .f16:
      let values = source.assumingMemoryBound(to: Float16.self)
      for i in 0..<count { target[i] = Float(values[i]) }
    case .f64:
      let values = source.assumingMemoryBound(to: Double.self)
      for i in 0..<count { target[i] = Float(values[i]) }
    default:
      preconditionFailure("\(type.rawValue) is not read as Float")
    }
  }

  /// Stores `count` values as `type`, rounding to nearest even; a NaN stays one.
  package static func store(_ source: UnsafePointer<Float>, _ type: ElementType, count: Int, to target: UnsafeMutableRawPointer) {
    switch type {
    case .f32:
      target.assumingMemoryBound(to: Float.self).update(from: source, count: count)
    case .bf16:
      let bits = target.assumingMemoryBound(to: UInt16.self)
      for i in 0..<count { bits[i] = bfloat16(source[i]) }
    case .f16:
      let values = target.assumingMemoryBound(to: Float16.self)
      for i in 0..<count { values[i] = Float16(source[i]) }
    case .f64:
      let values = target.assumingMemoryBound(to: Double.self)
      for i in 0..<count { values[i] = Double(source[i]) }
    default:
      preconditionFailure("Float is not stored as \(type.rawValue)")
    }
  }

  /// Puts the nearest value of a narrower type in the place of each; nothing for types that hold every Float.
  package static func round(_ values: UnsafeMutablePointer<Float>, to type: ElementType, count: Int) {
    switch type {
    case .bf16: for i in 0..<count { values[i] = Float(bitPattern: UInt32(bfloat16(values[i])) &<< 16) }
    case .f16: for i in 0..<count { values[i] = Float(Float16(values[i])) }
    default: break
    }
  }

  /// The first value that is NaN or infinite.
  package static func firstNonFinite(_ values: UnsafePointer<Float>, count: Int) -> Int? {
    let exponent: UInt32 = 0x7F80_0000
    var largest: UInt32 = 0
    for i in 0..<count { largest = max(largest, values[i].bitPattern & exponent) }
    guard largest == exponent else { return nil }
    return (0..<count).first { !values[$0].isFinite }
  }

  /// Adding 0x7FFF and the lowest kept bit carries into the kept half exactly when the dropped half rounds up; a NaN is quieted instead,
  /// for the carry could turn it into an infinity.
  private static func bfloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let rounded = (bits &+ 0x7FFF &+ (bits &>> 16 & 1)) &>> 16
    let quiet = bits &>> 16 | 0x40
    return UInt16(truncatingIfNeeded: bits & 0x7FFF_FFFF > 0x7F80_0000 ? quiet : rounded)
  }
}
