/// Sums over one row of floats in a fixed order: four accumulators of eight lanes, then the lanes in order, then the tail. Swift does not
/// reassociate float sums, so the order is written out; it is the same on every CPU.
@inline(__always)
func load8(_ pointer: UnsafePointer<Float>, _ index: Int) -> SIMD8<Float> {
  UnsafeRawPointer(pointer + index).loadUnaligned(as: SIMD8<Float>.self)
}

@inline(__always)
func load8(_ pointer: Floats, _ index: Int) -> SIMD8<Float> {
  UnsafeRawPointer(pointer + index).loadUnaligned(as: SIMD8<Float>.self)
}

@inline(__always)
func store8(_ value: SIMD8<Float>, _ pointer: Floats, _ index: Int) {
  UnsafeMutableRawPointer(pointer + index).storeBytes(of: value, as: SIMD8<Float>.self)
}

/// The lanes added pairwise, in one order.
@inline(__always)
func laneSum(_ a: SIMD8<Float>) -> Float {
  ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]))
}

@inline(__always)
private func reduce(_ count: Int, _ vector: (Int, SIMD8<Float>) -> SIMD8<Float>, _ scalar: (Int, Float) -> Float) -> Float {
  var a = SIMD8<Float>(repeating: 0)
  var b = a
  var c = a
  var d = a
  var i = 0
  while i + 32 <= count {
    a = vector(i, a)
    b = vector(i + 8, b)
    c = vector(i + 16, c)
    d = vector(i + 24, d)
    i += 32
  }
  while i + 8 <= count {
    a = vector(i, a)
    i += 8
  }
  var sum = laneSum((a + b) + (c + d))
  while i < count {
    sum = scalar(i, sum)
    i += 1
  }
  return sum
}

/// Σ x².
@inline(__always)
func rowSumOfSquares(_ x: Floats, _ count: Int) -> Float {
  reduce(count, { $1.addingProduct(load8(x, $0), load8(x, $0)) }, { $1.addingProduct(x[$0], x[$0]) })
}

/// Σ x.
@inline(__always)
func rowSum(_ x: Floats, _ count: Int) -> Float {
  reduce(count, { $1 + load8(x, $0) }, { $1 + x[$0] })
}

/// Σ a·b·c.
@inline(__always)
func rowTripleDot(_ a: Floats, _ b: Floats, _ c: Floats, _ count: Int) -> Float {
  reduce(count, { $1.addingProduct(load8(a, $0) * load8(b, $0), load8(c, $0)) }, { $1.addingProduct(a[$0] * b[$0], c[$0]) })
}

/// The largest element of a row of at least one.
@inline(__always)
func rowMaximum(_ x: Floats, _ count: Int) -> Float {
  var largest = x[0]
  var i = 0
  if count >= 8 {
    var lanes = load8(x, 0)
    while i + 8 <= count {
      let v = load8(x, i)
      lanes = lanes.replacing(with: v, where: v .> lanes)
      i += 8
    }
    for lane in 0..<8 where lanes[lane] > largest { largest = lanes[lane] }
  }
  while i < count {
    if x[i] > largest { largest = x[i] }
    i += 1
  }
  return largest
}
