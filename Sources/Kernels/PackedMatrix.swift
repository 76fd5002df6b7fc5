import CKernels

/// A weight matrix W (n × k, row-major as in a Hugging Face linear layer), rearranged once so that y = x Wᵀ needs no further packing: for
/// decoding (memory bound at few rows) and for forward passes with frozen weights. It keeps a copy; later changes of the source are not
/// seen until `pack`.
///
/// `@unchecked Sendable`: written by `pack` alone, which must not run beside `multiply`.
package final class PackedMatrix: @unchecked Sendable {
  /// Columns of y, rows of W.
  package let n: Int
  /// Columns of x and of W.
  package let k: Int
  private let packed: FloatBuffer
  /// The instruction set whose kernels the panels are laid out for.
  private let layout: hl_isa

  /// Packs `weights` (n × k, rows `ldw` floats apart; `ldw` is k when nil).
  package init(_ pool: ThreadPool, n: Int, k: Int, weights: UnsafePointer<Float>, ldw: Int? = nil) {
    self.n = n
    self.k = k
    layout = hl_isa_current()
    packed = FloatBuffer(count: hl_packed_floats(layout, n, k))
    pack(pool, weights: weights, ldw: ldw)
  }

  /// Packs other weights of the same shape in place.
  package func pack(_ pool: ThreadPool, weights: UnsafePointer<Float>, ldw: Int? = nil) {
    hl_pack(pool.handle, layout, n, k, weights, ldw ?? k, packed.pointer)
  }

  /// y (m × n) = [y +] x (m × k) Wᵀ; rows of x are `ldx` floats apart, rows of y `ldy`. The same bits as `gemm` on the unpacked weights.
  package func multiply(_ pool: ThreadPool, m: Int, x: UnsafePointer<Float>, ldx: Int, y: Floats, ldy: Int, accumulate: Bool) {
    hl_gemm_packed(pool.handle, layout, m, n, k, x, ldx, packed.pointer, y, ldy, accumulate)
  }
}
