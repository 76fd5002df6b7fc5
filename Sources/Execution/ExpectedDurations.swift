import Artifacts
import Planning

/// How long instances took before, so that the longest remaining path can go first. A guess is good enough: nothing but the order of
/// starting hangs on it.
struct ExpectedDurations {
  private let store: Store
  private var known: [String: (byInstance: [String: Double], mean: Double)] = [:]

  private static let unknownSeconds = 1.0

  init(store: Store) { self.store = store }

  /// The last time of the same instance, else the mean of its stage.
  mutating func seconds(of instance: StageInstance, recipe: String) throws(StoreError) -> Double {
    if known[instance.stage] == nil { known[instance.stage] = try read(instance.stage, recipe) }
    guard let stage = known[instance.stage] else { return Self.unknownSeconds }
    return stage.byInstance[instance.name] ?? stage.mean
  }

  private func read(_ stage: String, _ recipe: String) throws(StoreError) -> (byInstance: [String: Double], mean: Double) {
    var byInstance: [String: Double] = [:]
    var sum = 0.0
    let summaries = try store.results.keys(ofStage: stage).compactMap(store.results.hint)
    for summary in summaries {
      if summary.recipe == recipe { byInstance[summary.instance] = summary.seconds }
      sum += summary.seconds
    }
    return (byInstance, summaries.isEmpty ? Self.unknownSeconds : sum / Double(summaries.count))
  }
}
