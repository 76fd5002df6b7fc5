import Datasets
import Testing

@Suite("Mixtures") struct MixtureTests {
  private func mix(
    _ data: [Int], replay: [Int] = [], _ strategy: Mixture.Strategy, replacement: Bool = false, shortfall: Mixture.Shortfall = .error,
    seed: UInt64 = 0
  ) throws(DatasetError) -> Mixture {
    let sources =
      data.enumerated().map { Mixture.Source("d\($0)", records: $1) } + replay.enumerated().map { .init("r\($0)", .replay, records: $1) }
    return try Mixture(sources, strategy, replacement: replacement, shortfall: shortfall, seed: seed)
  }

  private func failure(
    _ data: [Int], replay: [Int] = [], _ strategy: Mixture.Strategy, replacement: Bool = false
  ) -> String? {
    do {
      _ = try mix(data, replay: replay, strategy, replacement: replacement)
      return nil
    } catch { return error.message }
  }

  @Test("replay: a share of the result, or of the data; none where there is nothing to replay")
  func replay() throws {
    #expect(try mix([95], replay: [100], .replay(0.05, of: .result, .source)).taken == [95, 5])
    #expect(try mix([100], replay: [100], .replay(0.05, of: .first, .source)).taken == [100, 5])
    #expect(try mix([60, 40], replay: [100], .replay(0.05, of: .first, .source)).taken == [60, 40, 5])
    #expect(try mix([100], .replay(0.05, of: .result, .source)).taken == [100])
    #expect(try mix([100], replay: [10], .replay(0, of: .result, .source)).taken == [100, 0])
    #expect(try mix([50], replay: [100], .replay(0.5, of: .result, .source)).taken == [50, 50])
  }

  @Test("replay is divided evenly, what a small source lacks among the others; or by size")
  func division() throws {
    #expect(try mix([100], replay: [2, 100, 100], .replay(0.3, of: .first, .source)).taken == [100, 2, 14, 14])
    #expect(try mix([100], replay: [20, 80, 100], .replay(0.1, of: .first, .record)).taken == [100, 1, 4, 5])
    #expect(try mix([100], replay: [0, 50], .replay(0.1, of: .first, .source)).taken == [100, 0, 10])
  }

  @Test("interleaved ratios: shares of the result, as many as there can be; a total; shares of the first source")
  func ratios() throws {
    #expect(try mix([100, 30], .interleave([0.7, 0.3], of: .result, total: nil)).taken == [70, 30])
    #expect(try mix([100, 30], .interleave([7, 3], of: .result, total: 10)).taken == [7, 3])
    #expect(try mix([10, 20, 30], .interleave(nil, of: .result, total: nil)).taken == [10, 10, 10])
    #expect(try mix([10, 20], .interleave([1, 1], of: .result, total: nil), replacement: true).taken == [15, 15])
    #expect(try mix([100, 30], .interleave([1, 0.05], of: .first, total: nil)).taken == [100, 5])
    #expect(try mix([10, 10, 10], .interleave([1, 1, 1], of: .result, total: 10)).taken == [4, 3, 3])
    for sizes in [[10, 10], [7, 3], [1, 9]] {
      let ratios = sizes.map { Double($0) / 10 }
      #expect(try mix(sizes, .interleave(ratios, of: .result, total: nil)).taken == sizes || sizes == [10, 10])
    }
  }

  @Test("concatenated, a source follows the other; spread, every stretch has each source's share")
  func order() throws {
    #expect(try mix([2, 1], .concatenate).picks.map(\.source) == [0, 0, 1])
    let spread = try mix([90], replay: [100], .replay(0.1, of: .result, .source)).picks
    #expect(spread.count == 100)
    for start in stride(from: 0, to: 100, by: 20) { #expect(spread[start..<start + 20].count { $0.source == 1 } == 2) }
    #expect(spread.filter { $0.source == 0 }.map(\.record) == Array(0..<90))
  }

  @Test("fewer are a part of more, the seed chooses, and a source does not look at the others")
  func draws() throws {
    func replayed(_ ratio: Double, _ sizes: [Int] = [100], seed: UInt64 = 0) throws -> Set<Int> {
      let mixture = try mix([100], replay: sizes, .replay(ratio, of: .first, .source), seed: seed)
      return Set(mixture.picks.filter { $0.source == 1 }.map(\.record))
    }
    let few = try replayed(0.05)
    let more = try replayed(0.1)
    #expect(few.count == 5 && few.isSubset(of: more))
    let (again, other) = (try replayed(0.05), try replayed(0.05, seed: 1))
    #expect(few == again && few != other)
    let beside = try replayed(0.1, [100, 100])
    #expect(beside == few)
  }

  @Test("with replacement a small source gives as many as are asked of it")
  func replacement() throws {
    let mixture = try mix([100], replay: [3], .replay(0.3, of: .first, .source), replacement: true)
    #expect(mixture.taken == [100, 30])
    #expect(Set(mixture.picks.filter { $0.source == 1 }.map(\.record)) == [0, 1, 2])
    #expect(mixture.json["sources"]?[1]?["distinct"] == 3)
    #expect(mixture.picks.filter { $0.source == 0 }.map(\.record) == Array(0..<100), "data are not drawn")
  }

  @Test("what cannot be met is an error, or said in the counts")
  func errors() throws {
    #expect(failure([100], replay: [3], .replay(0.3, of: .first, .source)) == "source 'r0' has 3 records, and 30 are wanted of it")
    let short = try mix([100], replay: [3], .replay(0.3, of: .first, .source), shortfall: .takeAll)
    #expect(short.wanted == [100, 30] && short.taken == [100, 3])
    #expect(short.json["sources"]?[1]?["wanted"] == 30 && short.json["sources"]?[1]?["taken"] == 3)
    #expect(failure([0], replay: [3], .replay(0.3, of: .first, .source)) == "the mix is empty: 'data' holds no records")
    #expect(failure([9], replay: [0], .replay(0.5, of: .first, .source)) == "source 'replay' holds no records, and 5 are wanted of it")
    #expect(
      failure([9], replay: [9], .replay(1, of: .result, .source))
        == "1.0 of the result cannot be replay beside all of 'data'; the share must be below 1")
    #expect(try mix([9], replay: [0], .replay(0.01, of: .first, .record), replacement: true).taken == [9, 0])
    #expect(
      failure([9], replay: [9], .replay(1e10, of: .first, .source))
        == "the mix would take 90000000000.0 records of a source; 1000000000 are the most")
    #expect(failure([0, 0], .concatenate) == "the mix is empty: no source gives a record")
    #expect(failure([4, 4], .interleave([1], of: .result, total: nil)) == "there are 1 ratios for 2 sources: 'd0', 'd1'")
    #expect(failure([4, 4], .interleave([0, 0], of: .result, total: nil)) == "ratios must be at least 0, and one of them above")
    #expect(failure([4, 0], .interleave(nil, of: .result, total: nil)) == "source 'd1' holds no records, and 1 are wanted of it")
    #expect(failure([4, 4], .interleave(nil, of: .result, total: 20)) == "source 'd0' has 4 records, and 10 are wanted of it")
    #expect(
      failure([4, 0], .interleave([1, 1], of: .first, total: nil), replacement: true)
        == "source 'd1' holds no records, and 4 are wanted of it")
  }
}
