import Kernels
import Testing

// The instruction set is a setting of the whole process, so everything that changes it runs in this one serialized suite.
@Suite("matrix products", .serialized)
struct MatrixProductTests {
  struct Shape: CustomTestStringConvertible, Sendable {
    let m: Int, n: Int, k: Int
    var testDescription: String { "\(m) × \(n) × \(k)" }
  }

  static let shapes: [Shape] = [
    (1, 1, 1), (1, 48, 384), (1, 100, 577), (2, 17, 5), (3, 16, 383), (5, 47, 385), (7, 49, 100), (8, 96, 64), (9, 31, 769), (13, 150, 200),
    (16, 64, 128),
    (17, 1, 33), (31, 130, 12), (64, 192, 576), (97, 51, 390), (200, 65, 70), (33, 600, 40), (100, 3, 1000),
  ].map { Shape(m: $0.0, n: $0.1, k: $0.2) }

  @Test("every element has the bits of the scalar twin", arguments: shapes)
  func bits(shape: Shape) {
    let (m, n, k) = (shape.m, shape.n, shape.k)
    for (transA, transB) in [(Transpose.no, Transpose.yes), (.no, .no), (.yes, .no), (.yes, .yes)] {
      for accumulate in [false, true] {
        let lda = (transA == .yes ? m : k) + 3
        let ldb = (transB == .yes ? k : n) + 5
        let ldc = n + 2
        let a = randomFloats((transA == .yes ? k : m) * lda, stream: 1)
        let b = randomFloats((transB == .yes ? n : k) * ldb, stream: 2)
        func run(_ product: (Floats) -> Void) -> [UInt32] {
          let c = randomFloats(m * ldc, stream: 3)
          product(c.pointer)
          return c.bits
        }
        let expected = run {
          ScalarTwin.gemm(
            m: m, n: n, k: k, a: a.pointer, lda: lda, transA: transA, b: b.pointer, ldb: ldb, transB: transB, c: $0, ldc: ldc,
            accumulate: accumulate)
        }
        for set in instructionSets {
          CPU.override(set)
          for pool in pools {
            let actual = run {
              gemm(
                pool, m: m, n: n, k: k, a: a.pointer, lda: lda, transA: transA, b: b.pointer, ldb: ldb, transB: transB, c: $0, ldc: ldc,
                accumulate: accumulate)
            }
            #expect(actual == expected, "\(set), \(pool.threads) threads, transposed \(transA) \(transB), accumulate \(accumulate)")
          }
        }
        CPU.override(CPU.current.best)
      }
    }
  }

  @Test("the plain-vector kernels have the same bits")
  func generic() {
    let (m, n, k) = (19, 37, 450)
    let a = randomFloats(m * k, stream: 1)
    let b = randomFloats(n * k, stream: 2)
    func product() -> [UInt32] {
      let c = FloatBuffer(count: m * n)
      gemm(
        pools[1], m: m, n: n, k: k, a: a.pointer, lda: k, transA: .no, b: b.pointer, ldb: k, transB: .yes, c: c.pointer, ldc: n,
        accumulate: false)
      return c.bits
    }
    let expected = product()
    CPU.override(.generic)
    let actual = product()
    CPU.override(CPU.current.best)
    #expect(actual == expected)
  }

  @Test("packed weights give the bits of the unpacked product", arguments: [1, 2, 7, 8, 9, 16, 17, 64, 130])
  func packed(m: Int) {
    for (n, k) in [(100, 577), (48, 384), (1, 10), (333, 800)] {
      let ldx = k + 1
      let x = randomFloats(m * ldx, stream: 1)
      let weights = randomFloats(n * k, stream: 2)
      for accumulate in [false, true] {
        let expected = randomFloats(m * n, stream: 3)
        gemm(
          pools[0], m: m, n: n, k: k, a: x.pointer, lda: ldx, transA: .no, b: weights.pointer, ldb: k, transB: .yes, c: expected.pointer,
          ldc: n,
          accumulate: accumulate)
        for set in instructionSets {
          CPU.override(set)
          let packed = PackedMatrix(pools[1], n: n, k: k, weights: weights.pointer)
          // The layout is the one it was packed for, whatever is set later.
          CPU.override(CPU.current.best)
          for pool in pools {
            let actual = randomFloats(m * n, stream: 3)
            packed.multiply(pool, m: m, x: x.pointer, ldx: ldx, y: actual.pointer, ldy: n, accumulate: accumulate)
            #expect(actual.bits == expected.bits, "\(n) × \(k), \(set), \(pool.threads) threads")
          }
        }
      }
    }
  }

  @Test("a row's bits do not depend on its position or on the other rows")
  func rowPosition() {
    let (m, n, k) = (61, 150, 576)
    let x = randomFloats(m * k, stream: 1)
    let weights = randomFloats(n * k, stream: 2)
    let all = FloatBuffer(count: m * n)
    gemm(
      pools[1], m: m, n: n, k: k, a: x.pointer, lda: k, transA: .no, b: weights.pointer, ldb: k, transB: .yes, c: all.pointer, ldc: n,
      accumulate: false)
    for row in 0..<m {
      let one = FloatBuffer(count: n)
      gemm(
        pools[1], m: 1, n: n, k: k, a: x.pointer + row * k, lda: k, transA: .no, b: weights.pointer, ldb: k, transB: .yes, c: one.pointer,
        ldc: n,
        accumulate: false)
      #expect(one.bits == Array(all.bits[row * n..<(row + 1) * n]), "row \(row)")
    }
  }

  @Test("an empty inner dimension gives zeros, or leaves C when accumulating")
  func emptyInner() {
    let one = randomFloats(6, stream: 1)
    let before = one.bits
    gemm(
      pools[0], m: 2, n: 3, k: 0, a: one.pointer, lda: 2, transA: .yes, b: one.pointer, ldb: 3, transB: .no, c: one.pointer, ldc: 3,
      accumulate: true)
    #expect(one.bits == before)
    gemm(
      pools[0], m: 2, n: 3, k: 0, a: one.pointer, lda: 2, transA: .yes, b: one.pointer, ldb: 3, transB: .no, c: one.pointer, ldc: 3,
      accumulate: false)
    #expect(one.bits == [0, 0, 0, 0, 0, 0])
  }

  @Test("OpenBLAS, where installed, agrees to rounding")
  func openBLAS() {
    guard let blas = OpenBLAS.load(.inherited) else { return }
    for (m, n, k) in [(64, 192, 576), (100, 77, 1536), (1, 300, 64), (576, 192, 300)] {
      for (transA, transB) in [(Transpose.no, Transpose.yes), (.no, .no), (.yes, .no)] {
        let lda = transA == .yes ? m : k
        let ldb = transB == .yes ? k : n
        let a = randomFloats(m * k, stream: 1)
        let b = randomFloats(n * k, stream: 2)
        let ours = randomFloats(m * n, stream: 3)
        let theirs = randomFloats(m * n, stream: 3)
        gemm(
          pools[1], m: m, n: n, k: k, a: a.pointer, lda: lda, transA: transA, b: b.pointer, ldb: ldb, transB: transB, c: ours.pointer,
          ldc: n,
          accumulate: true)
        blas.gemm(
          m: m, n: n, k: k, a: a.pointer, lda: lda, transA: transA, b: b.pointer, ldb: ldb, transB: transB, c: theirs.pointer, ldc: n,
          accumulate: true)
        let size = Float(k).squareRoot()
        let worst = zip(ours.elements, theirs.elements).map { abs($0 - $1) / size }.max() ?? 0
        #expect(worst < 1e-5, "\(m) × \(n) × \(k)")
      }
    }
  }
}
