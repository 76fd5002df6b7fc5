import CKernels

/// Dropout over rows of `width` floats: an element stays, times a factor, or becomes zero, as the bit of a mask has it.
///
/// A mask is a function of a random stream alone: its rows are whole words of 64 bits, and word w comes from blocks 8w ..< 8w + 8. Its bit
/// 4i + j is 1, for an element that stays, where the j-th of the four 16-bit halves of words 0 and 1 of block 8w + i, low half first, is at
/// least `threshold`; bit 32 + 4i + j likewise by words 2 and 3. So an element is dropped with probability threshold/2¹⁶.
package enum Dropout {
  /// Words of a mask's row.
  package static func words(width: Int) -> Int { (width + 63) / 64 }

  /// Draws the mask: `rows` × words(width).
  package static func draw(
    _ pool: ThreadPool, rows: Int, width: Int, _ random: Philox, threshold: UInt16, mask: UnsafeMutablePointer<UInt64>
  ) {
    let count = rows * words(width: width)
    pool.run((count + wordsPerTask - 1) / wordsPerTask) { task in
      let first = task * wordsPerTask
      hl_dropout_bits(random.seed, random.stream, UInt64(8 * first), min(wordsPerTask, count - first), threshold, mask + first)
    }
  }

  /// y = mask ⊙ x · factor; rows of x are `ldx` floats apart, those of y `width`.
  package static func forward(
    _ pool: ThreadPool, rows: Int, width: Int, mask: UnsafePointer<UInt64>, factor: Float, x: UnsafePointer<Float>, ldx: Int, y: Floats
  ) {
    each(pool, rows) { row in
      hl_dropout_forward(mask + row * words(width: width), factor, x + row * ldx, y + row * width, width)
    }
  }

  /// dx += mask ⊙ dy · factor, both (rows, width).
  package static func backward(
    _ pool: ThreadPool, rows: Int, width: Int, mask: UnsafePointer<UInt64>, factor: Float, dy: UnsafePointer<Float>, dx: Floats
  ) {
    each(pool, rows) { row in
      hl_dropout_backward(mask + row * words(width: width), factor, dy + row * width, dx + row * width, width)
    }
  }

  private static func each(_ pool: ThreadPool, _ rows: Int, _ body: (_ row: Int) -> Void) {
    pool.run((rows + rowsPerTask - 1) / rowsPerTask) { task in
      for row in task * rowsPerTask..<min(rows, (task + 1) * rowsPerTask) { body(row) }
    }
  }

  private static let rowsPerTask = 32
  private static let wordsPerTask = 512
}
