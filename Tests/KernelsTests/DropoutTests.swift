import Kernels
import Testing

@Suite("dropout") struct DropoutTests {
  let pool = ThreadPool(threads: 2)
  let random = Philox(seed: 0x1234_5678_9ABC_DEF0, stream: 0xFEDC_BA98_7654_3210)

  @Test("a mask's bits are those of Philox block by block, on every instruction set", arguments: CPU.InstructionSet.allCases)
  func bits(set: CPU.InstructionSet) {
    guard CPU.override(set) else { return }
    defer { CPU.override(CPU.current.best) }
    let (rows, width, threshold) = (700, 100, UInt16(0x3333))
    let mask = drawn(rows, width, threshold)
    #expect(mask.count == 1400)
    for (word, bits) in mask.enumerated() {
      var expected: UInt64 = 0
      for block in 0..<8 {
        let halves = unsafeBitCast(random.block(UInt64(8 * word + block)), to: SIMD8<UInt16>.self)
        for j in 0..<4 {
          if halves[j] >= threshold { expected |= 1 << (4 * block + j) }
          if halves[4 + j] >= threshold { expected |= 1 << (32 + 4 * block + j) }
        }
      }
      #expect(bits == expected, "word \(word)")
    }
  }

  @Test("dropped elements are zero, and their slopes; the rest is scaled", arguments: CPU.InstructionSet.allCases, [5, 64, 100])
  func rows(set: CPU.InstructionSet, width: Int) {
    guard CPU.override(set) else { return }
    defer { CPU.override(CPU.current.best) }
    let (rows, ldx) = (40, width + 3)
    let mask = drawn(rows, width, 0x8000)
    let (x, y) = (FloatBuffer(count: rows * ldx), FloatBuffer(count: rows * width))
    random.fillNormal(x.pointer, count: x.count, standardDeviation: 1)
    mask.withUnsafeBufferPointer { mask in
      guard let mask = mask.baseAddress else { return }
      Dropout.forward(pool, rows: rows, width: width, mask: mask, factor: 2, x: x.pointer, ldx: ldx, y: y.pointer)
      let dx = FloatBuffer(count: y.count)
      dx.pointer.update(repeating: 1, count: dx.count)
      Dropout.backward(pool, rows: rows, width: width, mask: mask, factor: 2, dy: y.pointer, dx: dx.pointer)
      for row in 0..<rows {
        for i in 0..<width {
          let isKept = mask[row * Dropout.words(width: width) + i / 64] >> (i % 64) & 1 == 1
          #expect(y.pointer[row * width + i] == (isKept ? 2 * x.pointer[row * ldx + i] : 0))
          #expect(dx.pointer[row * width + i] == (isKept ? 1 + 2 * y.pointer[row * width + i] : 1))
        }
      }
    }
    withExtendedLifetime((x, y)) {}
  }

  @Test("a mask keeps its share")
  func share() {
    let kept = drawn(1000, 640, 0x1999).reduce(0) { $0 + $1.nonzeroBitCount }
    // Five standard deviations of 640,000 draws.
    #expect(abs(Double(kept) / 640_000 - (1 - Double(0x1999) / 65536)) < 5 * 0.3 / 800)
  }

  private func drawn(_ rows: Int, _ width: Int, _ threshold: UInt16) -> [UInt64] {
    var mask = [UInt64](repeating: 0, count: rows * Dropout.words(width: width))
    mask.withUnsafeMutableBufferPointer { mask in
      if let first = mask.baseAddress { Dropout.draw(pool, rows: rows, width: width, random, threshold: threshold, mask: first) }
    }
    return mask
  }
}
