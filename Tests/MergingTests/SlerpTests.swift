import Foundation
import Kernels
import Merging
import Modeling
import Testing

@Suite("spherical interpolation") struct SlerpTests {
  @Test("follows the formula over the tensor as one vector", arguments: [0.0, 0.25, 0.5, 1.0]) func formula(t: Double) throws {
    let tensors = try Tensors([Tensors.normal(5000, stream: 1), Tensors.normal(5000, stream: 2)])
    let (a, b) = (tensors.values[0].map(Double.init), tensors.values[1].map(Double.init))
    func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
    let angle = acos(dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot())
    let merged = try tensors.merged(.slerp(t: t))
    for i in merged.indices {
      let expected = (sin((1 - t) * angle) * a[i] + sin(t * angle) * b[i]) / sin(angle)
      #expect(abs(Double(merged[i]) - expected) < 1e-6)
    }
  }

  @Test("is linear between tensors that are all but parallel, and where one is zero", arguments: [1.001, -1.001])
  func parallel(factor: Float) throws {
    let a = Tensors.normal(1000, stream: 1)
    let tensors = try Tensors([a, a.map { $0 * factor }])
    let merged = try tensors.merged(.slerp(t: 0.25))
    for i in merged.indices { #expect(merged[i] == Float(0.75 * Double(a[i]) + 0.25 * Double(tensors.values[1][i]))) }
    let half = try Tensors([[0, 0], [1, 2]]).merged(.slerp(t: 0.5))
    // Perpendicular by convention: sin(π/4)/sin(π/2) of the other.
    #expect(abs(half[1] - 2 * Float(0.5).squareRoot()) < 1e-6)
  }
}
