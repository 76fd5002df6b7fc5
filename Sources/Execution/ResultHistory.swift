import Artifacts
import Hashing
import JSONValues
import Planning

/// Earlier results as they were when the run began, to say what has changed since: read only when something has to run.
package struct ResultHistory {
  private let store: Store
  private var keysByStage: [String: [Digest]] = [:]
  private var records: [Digest: JSONValue?] = [:]

  /// So many of a stage's latest results are compared; a difference to something older would not be news.
  private static let depth = 64

  package init(store: Store) { self.store = store }

  /// The parts of the result of the same stage that most resembles `key`; among equals one of the same instance, then the latest.
  package mutating func nearest(to key: StageKey, of instance: StageInstance, recipe: String) throws(StoreError) -> JSONValue? {
    let candidates = try candidates(instance)
    guard !candidates.isEmpty else { return nil }
    let parts = key.parts
    var best: (parts: JSONValue, score: (Int, Int))?
    for candidate in candidates.reversed() {
      guard let old = try self.parts(candidate) else { continue }
      let distance = Reasons.distance(new: parts, old: old)
      let hint = store.results.hint(candidate)
      let isStranger = hint.map { $0.recipe == recipe && $0.instance == instance.name } == true ? 0 : 1
      if best.map({ (distance, isStranger) < $0.score }) ?? true { best = (old, (distance, isStranger)) }
    }
    return best?.parts
  }

  private mutating func candidates(_ instance: StageInstance) throws(StoreError) -> ArraySlice<Digest> {
    if let known = keysByStage[instance.stage] { return known.suffix(Self.depth) }
    let keys = try store.results.keys(ofStage: instance.stage)
    keysByStage[instance.stage] = keys
    return keys.suffix(Self.depth)
  }

  /// A damaged record is no reason not to run.
  private mutating func parts(_ key: Digest) throws(StoreError) -> JSONValue? {
    if let known = records[key] { return known }
    let parts = (try? store.result(key))?.parts
    records[key] = .some(parts)
    return parts
  }
}
