/// Blocks of GGUF tensors to Float, every type as ggml defines it: one float32 rounding an operation, none fused, so that the values
/// are those of the reference to the bit.
enum Dequantization {
  /// `blocks` blocks from `source` (no alignment asked) to `blocks * type.blockSize` floats.
  static func load(_ source: UnsafeRawPointer, _ type: GGUFTensorType, blocks: Int, to target: UnsafeMutablePointer<Float>) {
    switch type {
    case .f32: UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: blocks * 4)
    case .f16: for i in 0..<blocks { target[i] = half(source, i * 2) }
    case .bf16:
      for i in 0..<blocks { target[i] = Float(bitPattern: UInt32(source.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self)) &<< 16) }
    case .q40: for b in 0..<blocks { q40(source + b * 18, target + b * 32) }
    case .q41: for b in 0..<blocks { q41(source + b * 20, target + b * 32) }
    case .q50: for b in 0..<blocks { q50(source + b * 22, target + b * 32) }
    case .q51: for b in 0..<blocks { q51(source + b * 24, target + b * 32) }
    case .q80: for b in 0..<blocks { q80(source + b * 34, target + b * 32) }
    case .q2K: for b in 0..<blocks { q2K(source + b * 84, target + b * 256) }
    case .q3K: for b in 0..<blocks { q3K(source + b * 110, target + b * 256) }
    case .q4K: for b in 0..<blocks { q4K(source + b * 144, target + b * 256) }
    case .q5K: for b in 0..<blocks { q5K(source + b * 176, target + b * 256) }
    case .q6K: for b in 0..<blocks { q6K(source + b * 210, target + b * 256) }
    }
  }

  static func half(_ source: UnsafeRawPointer, _ offset: Int) -> Float {
    Float(Float16(bitPattern: source.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
  }

  static func byte(_ source: UnsafeRawPointer, _ offset: Int) -> UInt8 { source.load(fromByteOffset: offset, as: UInt8.self) }

  // MARK: - Blocks of 32

  /// d, 16 bytes; low nibbles are values 0-15, high nibbles 16-31: d (q - 8).
  private static func q40(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    let scale = half(source, 0)
    for i in 0..<16 {
      let pair = byte(source, 2 + i)
      target[i] = scale * Float(Int32(pair & 15) &- 8)
      target[i + 16] = scale * Float(Int32(pair &>> 4) &- 8)
    }
  }

  /// d, m, 16 bytes: d q + m.
  private static func q41(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    let scale = half(source, 0)
    let least = half(source, 2)
    for i in 0..<16 {
      let pair = byte(source, 4 + i)
      target[i] = scale * Float(Int32(pair & 15)) + least
      target[i + 16] = scale * Float(Int32(pair &>> 4)) + least
    }
  }

  /// d, 32 fifth bits, 16 bytes: d (q - 16).
  private static func q50(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    let scale = half(source, 0)
    let high = UInt32(littleEndian: source.loadUnaligned(fromByteOffset: 2, as: UInt32.self))
    for i in 0..<16 {
      let (low, up) = fiveBits(byte(source, 6 + i), high, i)
      target[i] = scale * Float(low &- 16)
      target[i + 16] = scale * Float(up &- 16)
    }
  }

  /// d, m, 32 fifth bits, 16 bytes: d q + m.
  private static func q51(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    let scale = half(source, 0)
    let least = half(source, 2)
    let high = UInt32(littleEndian: source.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    for i in 0..<16 {
      let (low, up) = fiveBits(byte(source, 8 + i), high, i)
      target[i] = scale * Float(low) + least
      target[i + 16] = scale * Float(up) + least
    }
  }

  private static func fiveBits(_ pair: UInt8, _ high: UInt32, _ i: Int) -> (Int32, Int32) {
    let low = UInt32(pair & 15) | (high &>> UInt32(i) & 1) &<< 4
    let up = UInt32(pair &>> 4) | (high &>> UInt32(i + 16) & 1) &<< 4
    return (Int32(truncatingIfNeeded: low), Int32(truncatingIfNeeded: up))
  }

  /// d, 32 signed bytes: d q.
  private static func q80(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    let scale = half(source, 0)
    for i in 0..<32 { target[i] = Float(source.load(fromByteOffset: 2 + i, as: Int8.self)) * scale }
  }
}
