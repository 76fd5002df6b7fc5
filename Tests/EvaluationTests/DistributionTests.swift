import Datasets
import Evaluation
import Foundation
import Kernels
import Testing

@Suite("Distributions over the vocabulary") struct DistributionTests {
  static let width = 1003

  @Test("KL(π0‖π) is that of the definition, near and far", arguments: [0, 1e-4, 0.01, 1, 30])
  func divergence(distance: Double) {
    let (x, y) = (FloatBuffer(count: Self.width), FloatBuffer(count: Self.width))
    defer { withExtendedLifetime((x, y)) {} }
    let random = Philox(seed: 1, name: "logits")
    for i in 0..<Self.width {
      x.pointer[i] = 12 * random.uniformFloat(UInt64(i)) - 4
      y.pointer[i] = x.pointer[i] + Float(distance) * (random.uniformFloat(UInt64(Self.width + i)) - 0.5)
    }
    let (p, q) = (Self.logSoftmax(x), Self.logSoftmax(y))
    let expected = zip(p, q).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
    let found = DistributionDrift.divergence(x.pointer, y.pointer, Self.width)
    // The exponentials are float32.
    #expect(abs(found - expected) <= 1e-5 * expected + 5e-9)
    if distance == 0 { #expect(found == 0) }
  }

  @Test("KL is finite where a likely token has become all but impossible")
  func far() {
    let (x, y) = (FloatBuffer(count: 2), FloatBuffer(count: 2))
    defer { withExtendedLifetime((x, y)) {} }
    (x.pointer[0], x.pointer[1], y.pointer[0], y.pointer[1]) = (0, 0, 200, -200)
    #expect(abs(DistributionDrift.divergence(x.pointer, y.pointer, 2) - (200 - log(2))) < 1e-3)
  }

  @Test("the entropy of a softmax is that of the definition", arguments: [0.0, 1, 8, 60])
  func entropy(scale: Double) {
    let x = FloatBuffer(count: Self.width)
    defer { withExtendedLifetime(x) {} }
    let random = Philox(seed: 2, name: "logits")
    for i in 0..<Self.width { x.pointer[i] = -Float(scale) * random.uniformFloat(UInt64(i)) }
    x.pointer[17] = 0
    let p = Self.logSoftmax(x)
    let expected = -p.reduce(0) { $0 + exp($1) * $1 }
    #expect(abs(Double(Entropy.of(x.pointer, Self.width)) - expected) < 2e-6 * max(1, expected))
  }

  @Test("targets are those of training, or all tokens but the first; passes keep records whole")
  func targets() {
    var records = TokenizedRecords()
    for length in [1, 3000, 2000, 5] {
      records.append(ids: (0..<length).map(Int32.init), trained: (0..<length).map { $0 % 2 == 1 })
    }
    let some = TargetPasses(records)
    #expect(some.places.count == 1500 + 1000 + 2)
    #expect(some.places.allSatisfy { $0.position % 2 == 1 && $0.token == $0.position })
    let all = TargetPasses(records, positions: .all)
    #expect(all.places.count == 2999 + 1999 + 4)
    #expect(all.passes.map(\.batch.count) == [3001, 2005])
    #expect(all.passes.map(\.range) == [0..<2999, 2999..<5002])
    for pass in all.passes {
      for (row, place) in zip(pass.rows, all.places[pass.range]) { #expect(pass.batch.tokens[Int(row) + 1] == place.token) }
    }
  }

  private static func logSoftmax(_ x: FloatBuffer) -> [Double] {
    let values = (0..<x.count).map { Double(x.pointer[$0]) }
    let sum = log(values.reduce(0) { $0 + exp($1) })
    return values.map { $0 - sum }
  }
}
