import Kernels

/// The order of additions that every matrix product promises, written out in plain Swift: the oracle for bits.
enum ScalarTwin {
  static let block = 384

  /// C = [C +] op(A) op(B), element by element.
  static func gemm(
    m: Int, n: Int, k: Int, a: UnsafePointer<Float>, lda: Int, transA: Transpose, b: UnsafePointer<Float>, ldb: Int, transB: Transpose,
    c: Floats,
    ldc: Int, accumulate: Bool
  ) {
    for i in 0..<m {
      for j in 0..<n {
        var total: Float = accumulate ? c[i * ldc + j] : 0
        for start in stride(from: 0, to: k, by: block) {
          var chain: Float = 0
          for p in start..<min(start + block, k) {
            let left = transA == .yes ? a[p * lda + i] : a[i * lda + p]
            let right = transB == .yes ? b[j * ldb + p] : b[p * ldb + j]
            chain = chain.addingProduct(left, right)
          }
          total = start == 0 && !accumulate ? chain : total + chain
        }
        c[i * ldc + j] = total
      }
    }
  }
}

/// `count` numbers in [-1, 1) that depend on `stream` alone.
func randomFloats(_ count: Int, stream: UInt64) -> FloatBuffer {
  let buffer = FloatBuffer(count: count)
  let philox = Philox(seed: 7, stream: stream)
  for i in 0..<count { buffer.pointer[i] = philox.uniformFloat(UInt64(i)) * 2 - 1 }
  return buffer
}

extension FloatBuffer {
  /// The elements' bit patterns, for comparisons that must be exact.
  var bits: [UInt32] { elements.map(\.bitPattern) }
}

/// Every instruction set this machine has, with a pool of one and of two threads (two may share a core, and still must not matter).
let instructionSets = CPU.InstructionSet.allCases.filter { $0.rawValue <= CPU.current.best.rawValue && $0 != .generic }
let pools = [ThreadPool(threads: 1), ThreadPool(threads: 2), ThreadPool(threads: 5)]
