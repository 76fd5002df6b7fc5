import CKernels

package enum Transpose: Sendable {
  case no
  case yes
}

/// C (m × n) = [C +] op(A) (m × k) op(B) (k × n), row-major float32.
///
/// A is stored m × k (`transA: .no`) or k × m (`.yes`) with rows `lda` floats apart; B is stored k × n or n × k with rows `ldb` apart; C's
/// rows are `ldc` apart. A linear layer with Hugging Face weights W (out × in): forward is y = x Wᵀ (`.no`, `.yes`), dx = dy W (`.no`,
/// `.no`), dW = dyᵀ x (`.yes`, `.no`). C must not overlap A or B.
///
/// Every element's bits depend on its row of op(A), its column of op(B) and k alone: a chain of fused multiply-adds over k ascending inside
/// fixed blocks of `hl_gemm_kc`, the blocks added in order (to the old C first, when accumulating). They do not depend on m, n, the
/// position in the matrix, the strides, the number of threads or the instruction set.
package func gemm(
  _ pool: ThreadPool, m: Int, n: Int, k: Int, a: UnsafePointer<Float>, lda: Int, transA: Transpose, b: UnsafePointer<Float>, ldb: Int,
  transB: Transpose, c: Floats, ldc: Int, accumulate: Bool
) {
  precondition(lda >= (transA == .yes ? m : k), "lda \(lda) is too small for op(A) \(m) × \(k), transposed: \(transA)")
  precondition(ldb >= (transB == .yes ? k : n), "ldb \(ldb) is too small for op(B) \(k) × \(n), transposed: \(transB)")
  precondition(ldc >= n, "ldc \(ldc) is too small for C \(m) × \(n)")
  hl_gemm(pool.handle, m, n, k, a, lda, transA == .yes, b, ldb, transB == .yes, c, ldc, accumulate)
}
