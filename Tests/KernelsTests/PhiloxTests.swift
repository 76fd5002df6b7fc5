import Kernels
import Testing

@Suite("Philox4x32-10")
struct PhiloxTests {
  @Test("the published known answers come out")
  func knownAnswers() {
    // Random123's kat_vectors: counter, key, result.
    let zero = Philox.rounds(counter: [0, 0, 0, 0], key: [0, 0])
    #expect(zero == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
    let ones = Philox.rounds(counter: .init(repeating: .max), key: .init(repeating: .max))
    #expect(ones == [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd])
    let pi = Philox.rounds(counter: [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], key: [0xa409_3822, 0x299f_31d0])
    #expect(pi == [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
  }

  @Test("a block is the rounds on (position, stream) under the seed")
  func layout() {
    let philox = Philox(seed: 0x299f_31d0_a409_3822, stream: 0x0370_7344_1319_8a2e)
    #expect(philox.block(0x85a3_08d3_243f_6a88) == [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
  }

  @Test("uniform numbers lie in [0, 1) and have the mean and variance they should")
  func uniform() {
    let philox = Philox(seed: 3, stream: 1)
    let count = 200_000
    let values = (0..<count).map { philox.uniformDouble(UInt64($0)) }
    #expect(values.allSatisfy { 0 <= $0 && $0 < 1 })
    let mean = values.reduce(0, +) / Double(count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
    #expect(abs(mean - 0.5) < 0.003 && abs(variance - 1 / 12.0) < 0.001)
    #expect((0..<count).allSatisfy { (0..<1).contains(philox.uniformFloat(UInt64($0))) })
  }

  @Test("normal numbers have the moments they should")
  func normal() {
    let philox = Philox(seed: 3, stream: 2)
    let count = 200_000
    let values = (0..<count).map { philox.normal(UInt64($0)) }
    func moment(_ power: Int) -> Double { values.reduce(0) { sum, x in sum + (0..<power).reduce(1.0) { y, _ in y * x } } / Double(count) }
    #expect(abs(moment(1)) < 0.01 && abs(moment(2) - 1) < 0.02 && abs(moment(3)) < 0.04 && abs(moment(4) - 3) < 0.1)
    let buffer = FloatBuffer(count: 10)
    philox.fillNormal(buffer.pointer, count: 10, standardDeviation: 0.02, first: 5)
    #expect(Array(buffer.elements) == (5..<15).map { Float(philox.normal(UInt64($0)) * 0.02) })
  }

  @Test("bounded integers cover their range evenly")
  func integers() {
    let philox = Philox(seed: 3, stream: 3)
    var counts = [Int](repeating: 0, count: 7)
    for i in 0..<70_000 { counts[philox.integer(UInt64(i), below: 7)] += 1 }
    #expect(counts.allSatisfy { abs($0 - 10_000) < 500 })
    #expect((0..<100).allSatisfy { philox.integer(UInt64($0), below: 1) == 0 })
    // A bound with which a remainder of 64 bits would favour the lower third by two to one.
    let bound = Int(3 << 61)
    let low = (0..<30_000).filter { philox.integer(UInt64($0), below: bound) < 1 << 61 }.count
    #expect(abs(low - 10_000) < 500)
  }

  @Test("a permutation holds every number once and repeats under the same key")
  func permutation() {
    let order = Philox(seed: 1, stream: 9).permutation(1000)
    #expect(order.sorted() == Array(0..<1000))
    #expect(order == Philox(seed: 1, stream: 9).permutation(1000))
    #expect(order != Philox(seed: 2, stream: 9).permutation(1000) && order != Philox(seed: 1, stream: 10).permutation(1000))
    var first = [Int](repeating: 0, count: 4)
    for seed in 0..<4000 { first[Philox(seed: UInt64(seed), stream: 0).permutation(4)[0]] += 1 }
    #expect(first.allSatisfy { abs($0 - 1000) < 150 })
    #expect(Philox(seed: 1, stream: 1).permutation(0).isEmpty && Philox(seed: 1, stream: 1).permutation(1) == [0])
  }
}
