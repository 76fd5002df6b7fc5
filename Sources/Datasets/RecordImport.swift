/// Splits records into a train part and a held-out part, the same way for the same records and seed.
///
/// Who is held out depends on the seed and on the questions alone: a hash ranks them, and the first `heldout` are it. So held-out
/// bytes do not move when `train` grows, and a question that is held out is never trained, however often it occurs.
package struct RecordImport: Sendable {
  package let train: [Record]
  package let heldout: [Record]
  /// Records left out because an equal one came before (`deduplicate`).
  package let duplicates: Int
  /// Records left out of train because their question is held out.
  package let shadowed: Int

  /// - Parameters:
  ///   - records: in file order, which both parts keep.
  ///   - heldout: how many records to hold out; 0 for none.
  ///   - train: at most so many for training, the first in the hash's order; nil for all that are left.
  ///   - deduplicate: leave out a record that equals an earlier one in every member.
  package init(_ records: [Record], heldout: Int, train limit: Int? = nil, seed: UInt64, deduplicate: Bool) throws(DatasetError) {
    let kept = deduplicate ? Self.distinct(records) : records
    duplicates = records.count - kept.count
    guard !kept.isEmpty else { throw DatasetError("there are no records") }
    guard heldout < kept.count else {
      throw DatasetError("\(heldout) records are to be held out, but there are only \(kept.count), and train needs at least one")
    }
    let ranks = kept.map { StableHash.mix(StableHash.of($0.question) ^ StableHash.mix(seed &+ 0x9E37_79B9_7F4A_7C15)) }
    let order = kept.indices.sorted { (ranks[$0], $0) < (ranks[$1], $1) }
    let held = Set(order.prefix(heldout))
    let hidden = Set(held.map { kept[$0].question })
    let free = order.dropFirst(heldout).filter { hidden.isEmpty || !hidden.contains(kept[$0].question) }
    shadowed = kept.count - heldout - free.count
    let trained = Set(free.prefix(limit ?? free.count))
    guard !trained.isEmpty || limit == 0 else { throw DatasetError("no record is left for train: every question is held out") }
    self.train = trained.count == kept.count ? kept : kept.indices.filter(trained.contains).map { kept[$0] }
    self.heldout = kept.indices.filter(held.contains).map { kept[$0] }
  }

  private static func distinct(_ records: [Record]) -> [Record] {
    var seen: Set<[UInt8]> = []
    let isFirst = records.map { seen.insert($0.json.encodedBytes()).inserted }
    seen = []
    // The array itself where it may stay: there can be millions of records.
    return isFirst.contains(false) ? zip(records, isFirst).compactMap { $1 ? $0 : nil } : records
  }
}
