import Kernels
import Testing

/// Every layer's forward pass against a naive twin in Double, and its backward pass against differences of that twin.
@Suite struct LayersTests {
  private let pool = ThreadPool(threads: 2)

  /// Random numbers, scaled.
  private func random(_ count: Int, _ name: String, _ scale: Double = 1) -> FloatBuffer {
    let buffer = FloatBuffer(count: count)
    Philox(seed: 1, name: name).fillNormal(buffer.pointer, count: count, standardDeviation: scale)
    return buffer
  }

  private func doubles(_ buffer: FloatBuffer) -> [Double] { buffer.elements.map { Double($0) } }

  /// Compares `gradient` with central differences of Σ slope·twin(x).
  private func expectSlopes(
    _ gradient: [Double], of twin: ([Double]) -> [Double], at x: [Double], slope: [Double], _ comment: Comment,
    location: SourceLocation = #_sourceLocation
  ) {
    func value(_ x: [Double]) -> Double { zip(twin(x), slope).reduce(0) { $0 + $1.0 * $1.1 } }
    for i in stride(from: 0, to: x.count, by: max(1, x.count / 37)) {
      var (above, below) = (x, x)
      above[i] += 1e-5
      below[i] -= 1e-5
      let measured = (value(above) - value(below)) / 2e-5
      #expect((gradient[i] - measured).magnitude <= 1e-4 * max(1, measured.magnitude), comment, sourceLocation: location)
    }
  }

  // MARK: - RMSNorm

  private func norm(_ x: [Double], _ gamma: [Double], _ width: Int) -> [Double] {
    x.indices.map { i in
      let row = x[i / width * width..<(i / width + 1) * width]
      let s = 1 / (row.reduce(0) { $0 + $1 * $1 } / Double(width) + 1e-5).squareRoot()
      return x[i] * s * gamma[i % width]
    }
  }

  @Test(arguments: [(1, 5), (3, 8), (70, 33), (40, 64)])
  func `RMSNorm is its formula, and its backward pass the slope of it`(rows: Int, width: Int) {
    let x = random(rows * width, "x")
    let gamma = random(width, "gamma")
    let y = FloatBuffer(count: rows * width)
    let copy = FloatBuffer(count: rows * width)
    RMSNorm.forward(pool, rows: rows, width: width, x: x.pointer, gamma: gamma.pointer, epsilon: 1e-5, y: y.pointer, copy: copy.pointer)
    let expected = norm(doubles(x), doubles(gamma), width)
    for (a, b) in zip(doubles(y), expected) { #expect((a - b).magnitude < 1e-5) }
    #expect(copy.elements.elementsEqual(x.elements))

    let dy = random(rows * width, "dy")
    let slope = doubles(dy)
    let dx = random(rows * width, "dx")
    let before = doubles(dx)
    let dgamma = FloatBuffer(count: width)
    let scratch = FloatBuffer(count: RMSNorm.scratchCount(rows: rows, width: width))
    RMSNorm.backward(
      pool, rows: rows, width: width, x: x.pointer, gamma: gamma.pointer, epsilon: 1e-5, dy: dy.pointer, dx: dx.pointer,
      dgamma: dgamma.pointer, scratch: scratch.pointer)
    let added = zip(doubles(dx), before).map { $0 - $1 }
    expectSlopes(added, of: { norm($0, doubles(gamma), width) }, at: doubles(x), slope: slope, "dx")
    expectSlopes(doubles(dgamma), of: { norm(doubles(x), $0, width) }, at: doubles(gamma), slope: slope, "dgamma")
    for (a, b) in zip(doubles(dy), expected) { #expect((a - b).magnitude < 1e-5, "dy becomes y") }
  }

  @Test func `the slopes of a row that is named several times add up in order, whatever the threads`() {
    let (positions, width) = (9, 33)
    // Twice in one task, in several tasks, neighbours, and once.
    let indices = (0..<90).map { Int32($0 * $0 % 7) } + [Int32](repeating: 7, count: 59) + [8]
    let x = random(positions * width, "x")
    let gamma = random(width, "gamma")
    let dy = random(indices.count * width, "dy")
    func backward(_ pool: ThreadPool) -> (dx: [Float], dgamma: [Float], y: [Float]) {
      let (slope, dx, dgamma) = (FloatBuffer(count: dy.count), random(positions * width, "dx"), FloatBuffer(count: width))
      slope.pointer.update(from: dy.pointer, count: dy.count)
      let scratch = FloatBuffer(count: RMSNorm.scratchCount(rows: indices.count, width: width))
      RMSNorm.backward(
        pool, rows: indices.count, width: width, x: x.pointer, gamma: gamma.pointer, epsilon: 1e-5, dy: slope.pointer, dx: dx.pointer,
        dgamma: dgamma.pointer, scratch: scratch.pointer, indices: indices)
      return (Array(dx.elements), Array(dgamma.elements), Array(slope.elements))
    }
    let one = backward(ThreadPool(threads: 1))
    for threads in [2, 3, 5] { #expect(backward(ThreadPool(threads: threads)) == one) }

    // The same rows one call each.
    let (dx, dgamma) = (random(positions * width, "dx"), FloatBuffer(count: width))
    let scratch = FloatBuffer(count: width)
    for (row, index) in indices.enumerated() {
      RMSNorm.backward(
        pool, rows: 1, width: width, x: x.pointer, gamma: gamma.pointer, epsilon: 1e-5, dy: dy.pointer + row * width, dx: dx.pointer,
        dgamma: dgamma.pointer, scratch: scratch.pointer, indices: [index])
    }
    #expect(Array(dx.elements) == one.dx && Array(dy.elements) == one.y)
    for (a, b) in zip(dgamma.elements, one.dgamma) { #expect((a - b).magnitude < 1e-4) }
  }

  // MARK: - SwiGLU

  private func swiglu(_ gu: [Double], _ width: Int) -> [Double] {
    (0..<gu.count / 2).map { i in
      let (row, column) = i.quotientAndRemainder(dividingBy: width)
      let g = gu[row * 2 * width + column]
      return g / (1 + VectorMath.exp(-g)) * gu[row * 2 * width + width + column]
    }
  }

  @Test(arguments: [(1, 3), (33, 40)])
  func `SwiGLU is its formula, and its backward pass the slope of it`(rows: Int, width: Int) {
    let gu = random(rows * 2 * width, "gu", 3)
    let input = doubles(gu)
    let h = FloatBuffer(count: rows * width)
    SwiGLU.forward(pool, rows: rows, width: width, gu: gu.pointer, h: h.pointer)
    for (a, b) in zip(doubles(h), swiglu(input, width)) { #expect((a - b).magnitude < 1e-5) }
    let dh = random(rows * width, "dh")
    let slope = doubles(dh)
    SwiGLU.backward(pool, rows: rows, width: width, gu: gu.pointer, dh: dh.pointer)
    expectSlopes(doubles(gu), of: { swiglu($0, width) }, at: input, slope: slope, "dgu")
    #expect(dh.elements.elementsEqual(h.elements), "dh becomes h")
  }

  @Test func `SwiGLU stays finite where the exponential is not`() {
    let gu = FloatBuffer(count: 4)
    for (i, value) in [Float(-200), 200, 2, 2].enumerated() { gu.pointer[i] = value }
    let h = FloatBuffer(count: 2)
    SwiGLU.forward(pool, rows: 1, width: 2, gu: gu.pointer, h: h.pointer)
    #expect(Array(h.elements) == [0, 400])
    SwiGLU.backward(pool, rows: 1, width: 2, gu: gu.pointer, dh: h.pointer)
    #expect(gu.elements.allSatisfy { $0.isFinite })
  }

  // MARK: - Heads

  private func heads(
    _ x: [Double], _ gamma: [Double]?, heads: Int, _ dimension: Int, _ positions: [Int32], _ frequencies: [Float]
  ) -> [Double] {
    var y = gamma.map { norm(x, $0, dimension) } ?? x
    for row in 0..<positions.count {
      for start in stride(from: row * heads * dimension, to: (row + 1) * heads * dimension, by: dimension) {
        for i in 0..<dimension / 2 {
          let angle = Double(positions[row]) * Double(frequencies[i])
          let (left, right) = (y[start + i], y[start + i + dimension / 2])
          y[start + i] = left * VectorMath.cos(angle) - right * VectorMath.sin(angle)
          y[start + i + dimension / 2] = right * VectorMath.cos(angle) + left * VectorMath.sin(angle)
        }
      }
    }
    return y
  }

  @Test(arguments: [true, false], [6, 16, 64])
  func `heads are normalised and turned, and turned back`(normed: Bool, dimension: Int) {
    let (rows, count) = (37, 3)
    let frequencies = RotaryTable.frequencies(dimension: dimension, theta: 10000).map { Float($0) }
    let table = RotaryTable(positions: 64, frequencies: frequencies)
    let layer = RotaryHeads(heads: count, dimension: dimension, epsilon: 1e-5, table: table)
    let positions = (0..<rows).map { Int32($0 * 5 % 64) }
    let x = random(rows * count * dimension, "x")
    let gamma = random(dimension, "gamma")
    let ld = count * dimension
    let y = FloatBuffer(count: rows * ld)
    layer.forward(
      pool, rows: rows, positions: positions, x: x.pointer, ldx: ld, gamma: normed ? gamma.pointer : nil, y: y.pointer, ldy: ld)
    func twin(_ x: [Double], _ gamma: [Double]) -> [Double] {
      heads(x, normed ? gamma : nil, heads: count, dimension, positions, frequencies)
    }
    for (a, b) in zip(doubles(y), twin(doubles(x), doubles(gamma))) { #expect((a - b).magnitude < 2e-5) }

    let dy = random(rows * ld, "dy")
    let slope = doubles(dy)
    let dgamma = FloatBuffer(count: dimension)
    let scratch = FloatBuffer(count: layer.scratchCount(rows: rows))
    layer.backward(
      pool, rows: rows, positions: positions, x: x.pointer, ldx: ld, gamma: normed ? gamma.pointer : nil, dy: dy.pointer, ldy: ld,
      dgamma: dgamma.pointer, scratch: scratch.pointer)
    expectSlopes(doubles(dy), of: { twin($0, doubles(gamma)) }, at: doubles(x), slope: slope, "dx")
    if normed { expectSlopes(doubles(dgamma), of: { twin(doubles(x), $0) }, at: doubles(gamma), slope: slope, "dgamma") }
  }

  @Test func `a rotary table grows with what is asked for, whatever there may be, and its bits stay`() {
    let (heads, dimension) = (2, 16)
    let frequencies = RotaryTable.frequencies(dimension: dimension, theta: 10000).map { Float($0) }
    let x = random(4 * heads * dimension, "x")
    func turned(_ table: RotaryTable, _ positions: [Int32]) -> [UInt32] {
      let y = FloatBuffer(count: 4 * heads * dimension)
      let ld = heads * dimension
      RotaryHeads(heads: heads, dimension: dimension, epsilon: 1e-5, table: table).forward(
        pool, rows: 4, positions: positions, x: x.pointer, ldx: ld, gamma: nil, y: y.pointer, ldy: ld)
      return y.elements.map(\.bitPattern)
    }
    let grown = RotaryTable(positions: 1 << 40, frequencies: frequencies)
    for positions: [Int32] in [[0, 0, 0, 0], [0, 1, 2, 3], [7, 300, 5000, 5001], [3, 2, 1, 0], [10001, 1, 0, 10003]] {
      let fresh = RotaryTable(positions: 10004, frequencies: frequencies)
      _ = turned(fresh, [10003, 0, 0, 0])
      #expect(turned(grown, positions) == turned(fresh, positions))
    }
  }

  // MARK: - Embedding and bias

  @Test func `an embedding's gradient sums the rows of equal tokens`() {
    let (rows, width) = (50, 70)
    let tokens = (0..<rows).map { Int32($0 * $0 % 7) }
    let table = random(7 * width, "table")
    let y = FloatBuffer(count: rows * width)
    Embedding.forward(pool, rows: rows, width: width, tokens: tokens, table: table.pointer, y: y.pointer)
    #expect((0..<rows * width).allSatisfy { y.pointer[$0] == table.pointer[Int(tokens[$0 / width]) * width + $0 % width] })
    let dtable = FloatBuffer(count: 7 * width)
    Embedding.backward(pool, rows: rows, width: width, tokens: tokens, dtable: dtable.pointer, dy: y.pointer)
    for i in 0..<7 * width {
      let times = tokens.reduce(0) { $0 + ($1 == i / width ? 1 : 0) }
      #expect((dtable.pointer[i] - Float(times) * table.pointer[i]).magnitude < 1e-4)
    }
  }

  @Test func `a bias's gradient is the sum of the rows`() {
    let (rows, width) = (45, 100)
    let bias = random(width, "bias")
    let y = FloatBuffer(count: rows * width)
    Bias.forward(pool, rows: rows, width: width, bias: bias.pointer, y: y.pointer)
    let dbias = FloatBuffer(count: width)
    Bias.backward(pool, rows: rows, width: width, dbias: dbias.pointer, dy: y.pointer, lddy: width)
    for i in 0..<width { #expect((dbias.pointer[i] - Float(rows) * bias.pointer[i]).magnitude < 1e-3) }
  }

  // MARK: - Softmax and cross-entropy

  @Test(arguments: [5, 1024, 3001], [1, 0.5, 1.3] as [Float])
  func `log p, entropy, correctness and slopes are those of a softmax at a temperature`(vocabulary: Int, temperature: Float) {
    let rows = 6
    let logits = random(rows * vocabulary, "logits", 3)
    logits.pointer[2 * vocabulary + 4] = 50
    let x = doubles(logits)
    let targets = (0..<rows).map { Int32($0 == 2 ? 4 : $0 * 7 % vocabulary) }
    let (p, h, c, z) = (FloatBuffer(count: rows), FloatBuffer(count: rows), FloatBuffer(count: rows), FloatBuffer(count: rows))
    SoftmaxCrossEntropy.forward(
      pool, rows: rows, vocabulary: vocabulary, logits: logits.pointer, targets: targets,
      results: .init(logProbabilities: p.pointer, entropies: h.pointer, correct: c.pointer), normalizers: z.pointer,
      temperature: temperature)

    func logSoftmax(_ x: [Double], _ row: Int) -> [Double] {
      let part = x[row * vocabulary..<(row + 1) * vocabulary].map { $0 / Double(temperature) }
      let top = part.max() ?? 0
      let sum = VectorMath.log(part.reduce(0.0) { $0 + VectorMath.exp($1 - top) })
      return part.map { $0 - top - sum }
    }
    for row in 0..<rows {
      let logs = logSoftmax(x, row)
      let target = Int(targets[row])
      #expect((Double(p.pointer[row]) - logs[target]).magnitude < 2e-5)
      #expect((Double(h.pointer[row]) + logs.reduce(0) { $0 + VectorMath.exp($1) * $1 }).magnitude < 2e-5)
      #expect(c.pointer[row] == (logs.firstIndex(of: logs.max() ?? 0) == target ? 1 : 0))
    }
    let slopes: [Float] = [1, -2, 0.5, 0, 3, -1]
    SoftmaxCrossEntropy.backward(
      pool, rows: rows, vocabulary: vocabulary, logits: logits.pointer, targets: targets, slopes: slopes, normalizers: z.pointer,
      temperature: temperature)
    expectSlopes(
      doubles(logits), of: { x in (0..<rows).map { logSoftmax(x, $0)[Int(targets[$0])] } }, at: x, slope: slopes.map { Double($0) },
      "dlogits")
  }

  @Test func `a tie goes to the first`() {
    let logits = FloatBuffer(count: 6)
    let (p, h, c, z) = (FloatBuffer(count: 2), FloatBuffer(count: 2), FloatBuffer(count: 2), FloatBuffer(count: 2))
    SoftmaxCrossEntropy.forward(
      pool, rows: 2, vocabulary: 3, logits: logits.pointer, targets: [0, 1],
      results: .init(logProbabilities: p.pointer, entropies: h.pointer, correct: c.pointer), normalizers: z.pointer)
    #expect(Array(c.elements) == [1, 0])
  }

  // MARK: - Optimizer

  @Test func `AdamW is torch's, in one pass, and clears the gradient`() {
    let count = 70_001
    let (p, g) = (random(count, "p"), random(count, "g"))
    let (m, v) = (random(count, "m", 0.1), random(count, "v", 0.1))
    for i in 0..<count { v.pointer[i] *= v.pointer[i] }
    let (p0, g0, m0, v0) = (doubles(p), doubles(g), doubles(m), doubles(v))
    let step = AdamWStep(learningRate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: 3, gradientScale: 0.5)
    step.update(pool, count: count, weightDecay: 0.1, parameters: p.pointer, gradients: g.pointer, first: m.pointer, second: v.pointer)
    for i in stride(from: 0, to: count, by: 97) {
      let gradient = g0[i] * 0.5
      let first = 0.9 * m0[i] + 0.1 * gradient
      let second = 0.999 * v0[i] + 0.001 * gradient * gradient
      let denominator = second.squareRoot() / (1 - 0.999 * 0.999 * 0.999).squareRoot() + 1e-8
      let expected = p0[i] * (1 - 1e-3) - 1e-2 / (1 - 0.9 * 0.9 * 0.9) * first / denominator
      #expect((Double(p.pointer[i]) - expected).magnitude < 1e-5)
    }
    #expect(g.elements.allSatisfy { $0 == 0 })
  }

  @Test func `the gradient's norm does not depend on the threads`() {
    let g = random(100_003, "g")
    let sums = [1, 2, 3].map { GradientNorm.sumOfSquares(ThreadPool(threads: $0), count: g.count, gradients: g.pointer) }
    #expect(Set(sums).count == 1)
    let expected = doubles(g).reduce(0) { $0 + $1 * $1 }
    #expect((sums[0] - expected).magnitude < 1e-6 * expected)
  }
}
