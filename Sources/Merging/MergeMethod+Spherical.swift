import Kernels
import Modeling

/// Spherical linear interpolation between two models, tensor by tensor (Shoemake, "Animating rotation with quaternion curves", 1985).
///
/// θ = arccos(⟨v0, v1⟩ / ‖v0‖‖v1‖), v = sin((1 − t)θ)/sin θ · v0 + sin(tθ)/sin θ · v1, over the tensor as one vector, with the vectors as
/// they are and not of unit length; (1 − t) v0 + t v1 where |cos θ| > 0.9995. Both as mergekit does it. Norms and products are taken in
/// double.
enum Slerp {
  /// |cos θ| above which two tensors count as parallel: mergekit's.
  static let largestCosine = 0.9995
  /// Norms below this count as 1: mergekit's.
  private static let leastNorm = 1e-8

  struct Products: Sendable {
    var first = 0.0
    var second = 0.0
    var both = 0.0

    static func + (a: Products, b: Products) -> Products {
      Products(first: a.first + b.first, second: a.second + b.second, both: a.both + b.both)
    }

    /// Adds those of some elements, four partial sums each, in a fixed order.
    mutating func add(_ a: Floats, _ b: Floats, _ count: Int) {
      var (first, second, both) = (SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>())
      let whole = count & ~3
      for i in stride(from: 0, to: whole, by: 4) {
        let x = SIMD4<Double>(Double(a[i]), Double(a[i + 1]), Double(a[i + 2]), Double(a[i + 3]))
        let y = SIMD4<Double>(Double(b[i]), Double(b[i + 1]), Double(b[i + 2]), Double(b[i + 3]))
        first += x * x
        second += y * y
        both += x * y
      }
      for i in whole..<count {
        first[0] += Double(a[i]) * Double(a[i])
        second[0] += Double(b[i]) * Double(b[i])
        both[0] += Double(a[i]) * Double(b[i])
      }
      self = self + Products(first: first.sum(), second: second.sum(), both: both.sum())
    }
  }

  /// What v0 and v1 are multiplied by.
  static func coefficients(_ t: Double, _ products: Products) -> (Double, Double) {
    func norm(_ square: Double) -> Double { square.squareRoot() > leastNorm ? square.squareRoot() : 1 }
    let cosine = products.both / (norm(products.first) * norm(products.second))
    guard abs(cosine) <= largestCosine else { return (1 - t, t) }
    let angle = arccosine(cosine)
    let sine = VectorMath.sin(angle)
    return (VectorMath.sin((1 - t) * angle) / sine, VectorMath.sin(t * angle) / sine)
  }

  /// Newton's iteration on cos θ = x, without the C library, whose arccosine depends on the machine. |x| ≤ 0.9995.
  static func arccosine(_ x: Double) -> Double {
    // Of |x|, where cosine falls and is concave from the start on, so that every step stays between the start and the root.
    var angle = Double.pi / 2
    for _ in 0..<64 {
      let next = angle + (VectorMath.cos(angle) - abs(x)) / VectorMath.sin(angle)
      if next == angle { break }
      angle = next
    }
    return x < 0 ? Double.pi - angle : angle
  }
}

extension MergeMethod {
  /// Two models; `t` = 0 is the first, 1 the second.
  package static func slerp(t: Double) -> MergeMethod {
    MergeMethod(name: "slerp") { passes throws(ModelError) in
      let sums = try passes.fold(from: Slerp.Products()) { sum, slice in sum.add(slice.sources[0], slice.sources[1], slice.count) }
      let (first, second) = Slerp.coefficients(t, sums.reduce(Slerp.Products(), +))
      return { slice in
        let (a, b, target) = (slice.sources[0], slice.sources[1], slice.target)
        for i in 0..<slice.count { target[i] = Float(first * Double(a[i]) + second * Double(b[i])) }
      }
    }
  }
}
