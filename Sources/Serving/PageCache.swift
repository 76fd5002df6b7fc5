import Execution

/// Pages as they were rendered, with what they were rendered from. Bounded in bytes; the one that was not asked for the longest goes first.
struct PageCache {
  struct Key: Hashable {
    let form: RunLibrary.Form
    let runs: [RunID]
  }

  private struct Entry {
    let page: WrittenPage
    let stamps: [RunStamp]
    /// Of a run that goes on, a page is good for a moment: what happened since, it is told live.
    let isGoodUntil: ContinuousClock.Instant
    var used: Int
  }

  private var entries: [Key: Entry] = [:]
  private var uses = 0
  private(set) var renderings = 0

  private static let mostBytes = 96 << 20
  /// A page of a run that goes on is not rendered more often than this, nor for more than a fifth of the time.
  private static let shortest = Duration.seconds(2)
  private static let share = 4

  mutating func page(_ key: Key, _ stamps: [RunStamp], now: ContinuousClock.Instant) -> WrittenPage? {
    guard let entry = entries[key] else { return nil }
    let goesOn = zip(stamps, entry.stamps).allSatisfy { $0.inode == $1.inode && $0.isAlive == $1.isAlive }
    guard entry.stamps == stamps || goesOn && now < entry.isGoodUntil else { return nil }
    uses += 1
    entries[key]?.used = uses
    return entry.page
  }

  mutating func keep(
    _ page: WrittenPage, _ key: Key, _ stamps: [RunStamp], began: ContinuousClock.Instant, ended: ContinuousClock.Instant
  ) {
    uses += 1
    renderings += 1
    let rest = max(Self.shortest, (ended - began) * Self.share)
    entries[key] = Entry(page: page, stamps: stamps, isGoodUntil: ended + rest, used: uses)
    while entries.count > 1, entries.values.reduce(0, { $0 + $1.page.bytes.count }) > Self.mostBytes {
      guard let oldest = entries.min(by: { $0.value.used < $1.value.used })?.key else { return }
      entries[oldest] = nil
    }
  }
}
