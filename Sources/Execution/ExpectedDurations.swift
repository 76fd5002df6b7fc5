import Artifacts
import Planning

/// How long instances took before, so that the longest remaining path can go first and people are told what to expect. A guess is good
/// enough: nothing else hangs on it.
struct ExpectedDurations {
  private let store: Store
  private var known: [String: (byInstance: [String: Double], mean: Double?)] = [:]

  init(store: Store) { self.store = store }

  /// The last time of the same instance, else the mean of its stage; nil where the store knows of neither.
  mutating func seconds(of instance: StageInstance, recipe: String) throws(StoreError) -> Double? {
    if known[instance.stage] == nil { known[instance.stage] = try read(instance.stage, recipe) }
    guard let stage = known[instance.stage] else { return nil }
    return stage.byInstance[instance.name] ?? stage.mean
  }

  private func read(_ stage: String, _ recipe: String) throws(StoreError) -> (byInstance: [String: Double], mean: Double?) {
    var byInstance: [String: Double] = [:]
    var sum = 0.0
    let summaries = try store.results.keys(ofStage: stage).compactMap(store.results.hint)
    for summary in summaries {
      if summary.recipe == recipe { byInstance[summary.instance] = summary.seconds }
      sum += summary.seconds
    }
    return (byInstance, summaries.isEmpty ? nil : sum / Double(summaries.count))
  }
}
