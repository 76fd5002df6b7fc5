import Artifacts
import Hashing
import JSONValues
import Planning

/// Says of each instance whether its result is there or it has to run: the one place where that is decided, for `plan` as for `run`.
///
/// It starts nothing (but version commands) and writes nothing. Outputs become known to it by `settle`.
package final class Judge {
  package let graph: InstanceGraph
  package let store: Store
  /// Instances that run whatever the store holds, until they have.
  private var reruns: Set<Int>
  private var environments: KeyEnvironments
  private var sources: [String: Result<SourceContent, KeyProblem>] = [:]
  /// By instance: its outputs, once they are final.
  private var settled: [ResultSummary?]
  private var keys: [StageKey?]
  private let isSink: [Bool]
  /// Outputs that lost bytes to damage; read with the first result.
  private var lost: Set<Digest>?
  /// Instances that have a result and run because its bytes are asked for.
  private var bytesWanted: Set<Int> = []

  package init(graph: InstanceGraph, store: Store, variables: [String: String], reruns: Set<Int> = []) {
    self.graph = graph
    self.store = store
    self.reruns = reruns
    environments = KeyEnvironments(sources: store.sources, variables: variables, numerics: graph.numerics)
    settled = Array(repeating: nil, count: graph.instances.count)
    keys = Array(repeating: nil, count: graph.instances.count)
    isSink = graph.dependents.map(\.isEmpty)
  }

  /// The outputs of an instance are final. True when they differ from what was known before.
  @discardableResult
  package func settle(_ index: Int, _ summary: ResultSummary) -> Bool {
    defer { settled[index] = summary }
    reruns.remove(index)
    return settled[index].map { $0.outputs != summary.outputs } ?? true
  }

  package func result(_ index: Int) -> ResultSummary? { settled[index] }

  package func key(_ index: Int) -> StageKey? { keys[index] }

  package func isRerun(_ index: Int) -> Bool { reruns.contains(index) }

  /// Whether a result without bytes will not do when it is looked up again.
  package func wantsBytes(_ index: Int) -> Bool { bytesWanted.contains(index) }

  // MARK: - Judging

  package func judge(_ index: Int, _ purpose: Scheduler.Purpose = .outputs) throws(StoreError) -> Judgement {
    let instance = graph.instances[index]
    if graph.dependencies[index].contains(where: { settled[$0] == nil }) {
      return Judgement(instance: index, key: nil, action: .waits)
    }
    let key: StageKey
    do throws(KeyProblem) { key = try makeKey(instance) } catch {
      return Judgement(instance: index, key: nil, action: .impossible(error.message))
    }
    keys[index] = key
    if !reruns.contains(index), let summary = try store.results.summary(key.digest), try suffices(summary, instance, purpose) {
      return Judgement(instance: index, key: key, action: .cached(summary))
    }
    let missing = try missingBytes(instance)
    if !missing.isEmpty { return Judgement(instance: index, key: key, action: .needs(missing)) }
    guard instance.contract.checkpoints, !reruns.contains(index) else { return Judgement(instance: index, key: key, action: .run) }
    let resumes = try store.workDirectory(key.digest).hasCheckpoint()
    return Judgement(instance: index, key: key, action: resumes ? .resume : .run)
  }

  /// A result lends its digests even when its bytes are gone; the bytes are asked for when somebody needs them, and of what nothing
  /// further is made of, for then it is the user who does. Pinned outputs have to be what they are pinned to.
  private func suffices(_ summary: ResultSummary, _ instance: StageInstance, _ purpose: Scheduler.Purpose) throws(StoreError) -> Bool {
    for pin in instance.expect where summary.output(pin.output)?.digest != pin.digest { return false }
    let isLost = try hasLost(summary)
    guard purpose == .bytes || isSink[instance.index] || isLost else { return true }
    for output in summary.outputs where purpose == .bytes || instance.contract.output(output.name)?.keep != false {
      if try !store.holds(output) {
        bytesWanted.insert(instance.index)
        return false
      }
    }
    return true
  }

  /// What was collected is not missed before it is needed; what was lost is.
  private func hasLost(_ summary: ResultSummary) throws(StoreError) -> Bool {
    if lost == nil { lost = try store.lostOutputs() }
    guard let lost, !lost.isEmpty else { return false }
    return summary.outputs.contains { lost.contains($0.digest) }
  }

  private func missingBytes(_ instance: StageInstance) throws(StoreError) -> [Int] {
    var missing: [Int] = []
    for input in instance.inputs {
      for element in input.elements {
        guard case .output(let index, let name) = element.source, !missing.contains(index), let output = settled[index]?.output(name) else {
          continue
        }
        if try !store.holds(output) { missing.append(index) }
      }
    }
    return missing
  }

  // MARK: - Keys

  private func makeKey(_ instance: StageInstance) throws(KeyProblem) -> StageKey {
    var digests: [[Digest]] = []
    for input in instance.inputs {
      var elements: [Digest] = []
      for element in input.elements { elements.append(try digest(element, input.declaration)) }
      digests.append(elements)
    }
    return KeyBuilder.key(instance, inputs: digests, environment: try environments.environment(of: instance.contract))
  }

  private func digest(_ element: InputElement, _ declaration: InputDeclaration) throws(KeyProblem) -> Digest {
    switch element.source {
    case .file(let path):
      do throws(KeyProblem) { return try source(path).digest } catch {
        throw KeyProblem(message: "input \(declaration.name): \(graph.sourceName(element)): \(error.message)")
      }
    case .output(let index, let name):
      guard let output = settled[index]?.output(name) else {
        throw KeyProblem(message: "input \(declaration.name): \(graph.sourceName(element)) is not in the result it comes from")
      }
      return output.digest
    }
  }

  /// What the contract adds to the keys of its instances; nil when it cannot be told.
  func environment(of contract: StageContract) -> KeyEnvironment? { try? environments.environment(of: contract) }

  /// What a source holds; looked at once a run, so that all instances see the same.
  package func content(ofSource path: String) -> SourceContent? { try? source(path) }

  private func source(_ path: String) throws(KeyProblem) -> SourceContent {
    if let known = sources[path] { return try known.get() }
    let result: Result<SourceContent, KeyProblem>
    do { result = .success(try store.sources.content(of: path)) } catch { result = .failure(KeyProblem(message: KeyProblem.text(error))) }
    sources[path] = result
    return try result.get()
  }
}

// MARK: - Reasons

extension Judge {
  /// Why an instance is not cached, in words.
  package func reasons(_ judgement: Judgement, _ history: inout ResultHistory) throws(StoreError) -> [String] {
    let instance = graph.instances[judgement.instance]
    switch judgement.action {
    case .cached: return []
    case .impossible(let message): return [message]
    case .waits: return waitReasons(instance)
    case .run, .resume, .needs: break
    }
    guard let key = judgement.key else { return [] }
    var reasons: [String] = []
    if isRerun(instance.index) {
      reasons = ["asked for by --rerun"]
    } else if let known = try store.results.summary(key.digest) {
      let isPinned = instance.expect.contains { pin in known.output(pin.output)?.digest != pin.digest }
      reasons = [isPinned ? "the result does not have the expected digest" : "its outputs are gone from the store"]
    } else {
      let old = try history.nearest(to: key, of: instance, recipe: graph.recipe)
      reasons = Reasons.explain(new: key.parts, old: old, instance, in: graph)
    }
    if case .needs(let missing) = judgement.action {
      reasons += missing.map { "needs the bytes of \(graph.instances[$0].name), which are gone from the store" }
    }
    return reasons
  }

  /// `input model waits for sft[2e-5].model`, once for each output that is not known.
  private func waitReasons(_ instance: StageInstance) -> [String] {
    var reasons: [String] = []
    for input in instance.inputs {
      for element in input.elements {
        guard case .output(let index, _) = element.source, settled[index] == nil else { continue }
        reasons.append("input \(input.declaration.name) waits for \(graph.sourceName(element))")
      }
    }
    return reasons
  }
}
