/// The K-quants: super-blocks of 256 values, in sub-blocks of 16 or 32 with scales of their own.
extension Dequantization {
  /// 16 bytes of (scale, least) nibbles, 64 bytes of two-bit values, d, dmin; sub-blocks of 16: d s q - dmin m.
  static func q2K(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    let scale = half(source, 80)
    let least = half(source, 82)
    for group in 0..<16 {
      let both = byte(source, group)
      let d = scale * Float(both & 15)
      let m = least * Float(both &>> 4)
      let (chunk, shift, first) = twoBitPlace(group)
      for i in 0..<16 {
        let q = byte(source, 16 + chunk * 32 + first + i) &>> shift & 3
        target[group * 16 + i] = d * Float(q) - m
      }
    }
  }

  /// 32 bytes of inverted third bits, 64 bytes of two-bit values, 12 bytes of six-bit scales, d; sub-blocks of 16: d (s - 32) q.
  static func q3K(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    let scale = half(source, 108)
    for group in 0..<16 {
      let low = byte(source, 96 + group % 8) &>> (group < 8 ? 0 : 4) & 15
      let high = byte(source, 104 + group % 4) &>> UInt8(group / 4 * 2) & 3
      let d = scale * Float(Int32(low | high &<< 4) &- 32)
      let (chunk, shift, first) = twoBitPlace(group)
      let bit = UInt8(group / 2)
      for i in 0..<16 {
        let q = Int32(byte(source, 32 + chunk * 32 + first + i) &>> shift & 3)
        let missing = Int32(byte(source, first + i) &>> bit & 1 ^ 1)
        target[group * 16 + i] = d * Float(q &- missing &<< 2)
      }
    }
  }

  /// d, dmin, 12 bytes of six-bit scales and minima, 128 bytes of nibbles; sub-blocks of 32: d s q - dmin m.
  static func q4K(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    for group in 0..<8 {
      let (d, m) = scaleAndLeast(source, group)
      let shift: UInt8 = group % 2 == 0 ? 0 : 4
      for i in 0..<32 {
        let q = byte(source, 16 + group / 2 * 32 + i) &>> shift & 15
        target[group * 32 + i] = d * Float(q) - m
      }
    }
  }

  /// As Q4_K, with 32 bytes of fifth bits before the nibbles.
  static func q5K(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    for group in 0..<8 {
      let (d, m) = scaleAndLeast(source, group)
      let shift: UInt8 = group % 2 == 0 ? 0 : 4
      for i in 0..<32 {
        let low = byte(source, 48 + group / 2 * 32 + i) &>> shift & 15
        let high = byte(source, 16 + i) &>> UInt8(group) & 1
        target[group * 32 + i] = d * Float(low | high &<< 4) - m
      }
    }
  }

  /// 128 bytes of nibbles, 64 bytes of upper bit pairs, 16 signed scales, d; sub-blocks of 16: d s (q - 32).
  static func q6K(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    let scale = half(source, 208)
    for group in 0..<16 {
      let d = scale * Float(source.load(fromByteOffset: 192 + group, as: Int8.self))
      let chunk = group / 8
      let inChunk = group % 8 * 16
      let lowShift: UInt8 = inChunk < 64 ? 0 : 4
      let highShift = UInt8(inChunk / 32 * 2)
      for i in 0..<16 {
        let low = byte(source, chunk * 64 + (inChunk + i) % 64) &>> lowShift & 15
        let high = byte(source, 128 + chunk * 32 + (inChunk + i) % 32) &>> highShift & 3
        target[group * 16 + i] = d * Float(Int32(low | high &<< 4) &- 32)
      }
    }
  }

  /// Two-bit values of a sub-block of 16: which 32 bytes, which bits of them, from which byte on.
  private static func twoBitPlace(_ group: Int) -> (chunk: Int, shift: UInt8, first: Int) {
    (group / 8, UInt8(group % 8 / 2 * 2), group % 2 * 16)
  }

  /// Sub-block 0-3: low six bits of bytes 0-3 (scale) and 4-7 (minimum). 4-7: nibbles of bytes 8-11, upper two bits from bytes 0-7.
  private static func scaleAndLeast(_ source: UnsafeRawPointer, _ group: Int) -> (Float, Float) {
    let scale: UInt8
    let least: UInt8
    if group < 4 {
      scale = byte(source, 4 + group) & 63
      least = byte(source, 8 + group) & 63
    } else {
      let low = byte(source, 8 + group)
      scale = low & 15 | (byte(source, group) &>> 6) &<< 4
      least = low &>> 4 | (byte(source, 4 + group) &>> 6) &<< 4
    }
    return (half(source, 0) * Float(scale), half(source, 2) * Float(least))
  }
}
