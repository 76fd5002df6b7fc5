/// How many records of each source go into one dataset, which ones, and in which order: a function of the sources' sizes, the settings and
/// the seed. Knows nothing of what the records say.
///
/// Sources come in two parts: `data`, what is to be learned, and `replay`, earlier or general records beside it.
package struct Mixture: Sendable, Equatable {
  package struct Source: Sendable, Equatable {
    package enum Part: String, Sendable { case data, replay }

    package let name: String
    package let part: Part
    /// How many there are.
    package let records: Int

    package init(_ name: String, _ part: Part = .data, records: Int) { (self.name, self.part, self.records) = (name, part, records) }
  }

  /// What a ratio is a share of.
  package enum Whole: String, Sendable, CaseIterable {
    /// The records that come out.
    case result
    /// The records of the first source; of replay, all of `data`.
    case first
  }

  /// How replay is divided among its sources.
  package enum Division: String, Sendable, CaseIterable {
    /// As many of each, as far as they have them.
    case source
    /// As if they were one source: by size.
    case record
  }

  package enum Strategy: Sendable, Equatable {
    /// Every record, one source after another.
    case concatenate
    /// A ratio for each source, data before replay; nil for equal ones. The sources are spread evenly. `total` is the number of records that
    /// come out, of ratios of the result; nil for as many as no record has to come twice for, or where records may, as many as there are.
    case interleave([Double]?, of: Whole, total: Int?)
    /// Every record of `data`, spread evenly among them a share of `replay`.
    case replay(Double, of: Whole, Division)
  }

  /// What happens where a source has fewer records than are wanted of it.
  package enum Shortfall: String, Sendable, CaseIterable {
    case error
    case takeAll = "take_all"
  }

  /// A record of the result.
  package struct Pick: Sendable, Equatable {
    package let source: Int
    package let record: Int
  }

  package let sources: [Source]
  /// How many records each source was to give, and gives.
  package let wanted: [Int]
  package let taken: [Int]
  package let picks: [Pick]

  /// - Parameter replacement: records are drawn from a source one by one, and may come again; else a source gives each at most once, in its order.
  package init(
    _ sources: [Source], _ strategy: Strategy, replacement: Bool = false, shortfall: Shortfall = .error, seed: UInt64
  ) throws(DatasetError) {
    self.sources = sources
    wanted = try Self.amounts(sources, strategy, replacement)
    var taken = wanted
    for (index, source) in sources.enumerated() where wanted[index] > source.records && (!replacement || source.records == 0) {
      if shortfall == .error || source.records == 0 { throw Self.short(source, wanted[index]) }
      taken[index] = source.records
    }
    guard taken.contains(where: { $0 > 0 }) else { throw DatasetError("the mix is empty: no source gives a record") }
    self.taken = taken
    let places = sources.indices.map { index -> [Int] in
      let isDrawn = if case .replay = strategy { sources[index].part == .replay } else { strategy != .concatenate }
      return Self.draw(taken[index], of: sources, index, replacement: replacement && isDrawn, seed)
    }
    picks = strategy == .concatenate ? Self.inTurn(places) : Self.spread(places)
  }

  private static func short(_ source: Source, _ wanted: Int) -> DatasetError {
    source.records == 0
      ? DatasetError("source '\(source.name)' holds no records, and \(wanted) are wanted of it")
      : DatasetError("source '\(source.name)' has \(source.records) records, and \(wanted) are wanted of it")
  }

  // MARK: - How many

  private static func amounts(_ sources: [Source], _ strategy: Strategy, _ replacement: Bool) throws(DatasetError) -> [Int] {
    let sizes = sources.map(\.records)
    switch strategy {
    case .concatenate: return sizes
    case .interleave(let ratios, let whole, let total):
      let ratios = ratios ?? sources.map { _ in 1 }
      guard ratios.count == sources.count else {
        let names = sources.map { "'\($0.name)'" }.joined(separator: ", ")
        throw DatasetError("there are \(ratios.count) ratios for \(sources.count) sources: \(names)")
      }
      guard ratios.allSatisfy({ $0 >= 0 && $0.isFinite }), ratios.contains(where: { $0 > 0 }) else {
        throw DatasetError("ratios must be at least 0, and one of them above")
      }
      switch whole {
      case .first: return try ratios.map { ratio throws(DatasetError) in try number(ratio * Double(sizes[0])) }
      case .result: return try shares(ratios, sources, total: total, replacement)
      }
    case .replay(let ratio, let whole, let division): return try replay(ratio, whole, division, sources, replacement)
    }
  }

  private static func shares(_ ratios: [Double], _ sources: [Source], total: Int?, _ replacement: Bool) throws(DatasetError) -> [Int] {
    let sum = ratios.reduce(0, +)
    let used = sources.indices.filter { ratios[$0] > 0 }
    if let empty = used.first(where: { sources[$0].records == 0 }) { throw short(sources[empty], 1) }
    if let total { return apportioned(try number(Double(total)), ratios) }
    guard !replacement else { return apportioned(used.reduce(0) { $0 + sources[$1].records }, ratios) }
    let most = used.map { Int((Double(sources[$0].records) * sum / ratios[$0]).rounded(.down)) }.min() ?? 0
    let counts = apportioned(most, ratios)
    // The quotient may have been rounded up to a whole number.
    return used.allSatisfy { counts[$0] <= sources[$0].records } ? counts : apportioned(most - 1, ratios)
  }

  private static func replay(
    _ ratio: Double, _ whole: Whole, _ division: Division, _ sources: [Source], _ replacement: Bool
  ) throws(DatasetError) -> [Int] {
    let new = sources.reduce(0) { $0 + ($1.part == .data ? $1.records : 0) }
    guard new > 0 else { throw DatasetError("the mix is empty: 'data' holds no records") }
    let earlier = sources.indices.filter { sources[$0].part == .replay }
    var counts = sources.map { $0.part == .data ? $0.records : 0 }
    guard !earlier.isEmpty else { return counts }
    guard whole == .first || ratio < 1 else {
      throw DatasetError("\(ratio) of the result cannot be replay beside all of 'data'; the share must be below 1")
    }
    let number = try number(Double(new) * (whole == .first ? ratio : ratio / (1 - ratio)))
    guard number > 0 else { return counts }
    let sizes = earlier.map { sources[$0].records }
    let there = sizes.reduce(0, +)
    guard there > 0 else { throw short(Source("replay", .replay, records: 0), number) }
    let weights = division == .source ? sizes.map { $0 > 0 ? 1.0 : 0 } : sizes.map(Double.init)
    let parts = replacement ? apportioned(number, weights) : filled(number, weights, sizes)
    for (index, part) in zip(earlier, parts) { counts[index] = part }
    return counts
  }

  private static func number(_ records: Double) throws(DatasetError) -> Int {
    guard records <= 1e9 else { throw DatasetError("the mix would take \(records) records of a source; 1000000000 are the most") }
    return Int(records.rounded())
  }

  /// By weight, but of none more than it has while another has some left; what all of them lack stays with the largest.
  private static func filled(_ number: Int, _ weights: [Double], _ sizes: [Int]) -> [Int] {
    var counts = weights.map { _ in 0 }
    var left = number
    while left > 0 {
      let open = weights.indices.map { counts[$0] < sizes[$0] ? weights[$0] : 0 }
      guard open.contains(where: { $0 > 0 }) else { break }
      let parts = apportioned(left, open)
      for index in counts.indices { counts[index] = min(sizes[index], counts[index] + parts[index]) }
      left = number - counts.reduce(0, +)
    }
    if left > 0, let largest = sizes.indices.max(by: { (sizes[$0], -$0) < (sizes[$1], -$1) }) { counts[largest] += left }
    return counts
  }

  /// Whole numbers by weight that add up to `number`: the largest remainders are rounded up, of equal ones the first.
  private static func apportioned(_ number: Int, _ weights: [Double]) -> [Int] {
    let sum = weights.reduce(0, +)
    let exact = weights.map { Double(number) * $0 / sum }
    var counts = exact.map { Int($0.rounded(.down)) }
    let order = weights.indices.filter { weights[$0] > 0 }.sorted { left, right in
      (Double(counts[left]) - exact[left], left) < (Double(counts[right]) - exact[right], right)
    }
    for index in order.prefix(max(0, number - counts.reduce(0, +))) { counts[index] += 1 }
    return counts
  }

  // MARK: - Which, and in which order

  /// Drawn for each source apart: what one gives does not depend on the others, and fewer are a part of more.
  private static func draw(_ count: Int, of sources: [Source], _ index: Int, replacement: Bool, _ seed: UInt64) -> [Int] {
    let source = sources[index]
    let place = sources[..<index].count { $0.part == source.part }
    var random = CounterRandom(seed: seed, "replay", source.part.rawValue, String(place))
    if replacement { return (0..<count).map { _ in random.below(source.records) } }
    return count == source.records ? Array(0..<count) : random.sample(count, of: Array(0..<source.records)).sorted()
  }

  private static func inTurn(_ places: [[Int]]) -> [Pick] {
    places.enumerated().flatMap { source, records in records.map { Pick(source: source, record: $0) } }
  }

  /// The j-th of a source's n records stands at (j + ½)/n of the whole: every stretch has every source's share.
  private static func spread(_ places: [[Int]]) -> [Pick] {
    let marks = places.enumerated().flatMap { source, records in
      records.enumerated().map { place, record in
        (position: (Double(place) + 0.5) / Double(records.count), pick: Pick(source: source, record: record))
      }
    }
    return marks.sorted { ($0.position, $0.pick.source) < ($1.position, $1.pick.source) }.map(\.pick)
  }
}
