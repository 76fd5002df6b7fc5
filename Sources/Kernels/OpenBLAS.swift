import COpenBLAS
import Glibc

/// OpenBLAS, loaded at run time where a machine has it. It is the oracle that tests and benchmarks hold our `gemm` against; nothing else
/// calls it, for its bits depend on the number of rows, on threads and on the CPU, which `gemm`'s do not. (A CPU without our vector
/// instructions gets `gemm`'s plain-vector kernels: NEON on aarch64; slow, but with the same bits, on an x86-64 without FMA.)
///
/// The library chooses its kernel at the moment it is loaded, from the CPU or from OPENBLAS_CORETYPE, and an inherited
/// OPENBLAS_CORETYPE=Haswell halves its speed on an AVX-512 machine. So it is opened with dlopen, never linked, after its variables have
/// been cleared and the kernel set on purpose. Changing the environment is safe only while no other thread reads it: `load` belongs to the
/// start of a process.
///
/// `@unchecked Sendable`: the function pointers are fixed; OpenBLAS is used with one thread of its own.
package struct OpenBLAS: @unchecked Sendable {
  /// What the library says of itself: version, kernel, options.
  package let configuration: String
  /// The kernel it chose ("SkylakeX", "Haswell", …).
  package let core: String
  private let sgemm: heirloom_cblas_sgemm
  private let setThreads: heirloom_openblas_set_num_threads

  /// What `load` does about the variables that OpenBLAS reads while it is loaded.
  package enum Environment: Sendable {
    /// Clears them and sets the kernel (an OPENBLAS_CORETYPE; nil: OpenBLAS looks at the CPU) and one thread. Only before any other thread
    /// starts.
    case chosen(core: String?)
    /// Leaves them alone: for a process that already has threads. The kernel is then whatever the caller's environment says.
    case inherited
  }

  /// Loads the library; nil where it is missing. A second call finds it as the first one loaded it.
  package static func load(_ environment: Environment = .chosen(core: nil)) -> OpenBLAS? {
    if case .chosen(let core) = environment {
      for name in ["OPENBLAS_CORETYPE", "OPENBLAS_VERBOSE", "OPENBLAS_MAIN_FREE", "OPENBLAS_L2_SIZE", "GOTOBLAS_MAIN_FREE"] {
        unsetenv(name)
      }
      for name in ["OPENBLAS_NUM_THREADS", "OPENBLAS_DEFAULT_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"] { setenv(name, "1", 1) }
      if let core { setenv("OPENBLAS_CORETYPE", core, 1) }
    }
    guard let library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL),
      let sgemm = dlsym(library, "cblas_sgemm"), let setThreads = dlsym(library, "openblas_set_num_threads"),
      let config = dlsym(library, "openblas_get_config"), let corename = dlsym(library, "openblas_get_corename")
    else { return nil }
    func text(_ function: UnsafeMutableRawPointer) -> String {
      unsafeBitCast(function, to: heirloom_openblas_get_text.self)().map { String(cString: $0) } ?? ""
    }
    let blas = OpenBLAS(
      configuration: text(config), core: text(corename), sgemm: unsafeBitCast(sgemm, to: heirloom_cblas_sgemm.self),
      setThreads: unsafeBitCast(setThreads, to: heirloom_openblas_set_num_threads.self))
    blas.setThreads(1)
    return blas
  }

  /// The product of `gemm`, with its arguments.
  package func gemm(
    m: Int, n: Int, k: Int, a: UnsafePointer<Float>, lda: Int, transA: Transpose, b: UnsafePointer<Float>, ldb: Int, transB: Transpose,
    c: Floats,
    ldc: Int, accumulate: Bool
  ) {
    func code(_ transpose: Transpose) -> Int32 {
      Int32(transpose == .yes ? heirloom_cblas_transpose : heirloom_cblas_no_transpose)
    }
    sgemm(
      Int32(heirloom_cblas_row_major), code(transA), code(transB), Int32(m), Int32(n), Int32(k), 1, a, Int32(lda), b, Int32(ldb),
      accumulate ? 1 : 0, c, Int32(ldc))
  }
}
