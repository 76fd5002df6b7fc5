import Artifacts
import Diagnostics
import Hashing
import JSONValues
import Planning

/// Computes results once more, in scratch, and compares what comes out with what is stored. Nothing in the store changes.
///
/// It is a run as far as the collector is concerned: it has a directory with a journal and a lock, so what it takes its inputs from stays
/// while it works. Its work directories lie in there and go with it.
package struct Verification {
  package struct Finding: Sendable {
    package enum Verdict: Sendable, Equatable {
      case same
      /// Names of outputs that differ, and what was different about the computing.
      case different([String], reasons: [String])
      /// It failed where it had succeeded.
      case failed(String)
      /// It cannot be computed again as it was.
      case impossible(String)
    }

    package let instance: String
    package let verdict: Verdict
    package let seconds: Double
  }

  private let recipe: Recipe
  private let run: RecordedRun
  private let store: Store
  private let options: RunOptions
  private let judge: Judge

  /// - Parameter recipe: the manifest of `run` as it is now, with the params of `run`.
  package init(_ recipe: Recipe, of run: RecordedRun, in storePath: String, options: RunOptions) throws {
    self.recipe = recipe
    self.run = run
    store = try Store.open(storePath)
    self.options = options
    judge = Judge(graph: recipe.graph, store: store, variables: options.variables)
  }

  /// The params of a run as `--set` takes them.
  package static func settings(of run: RecordedRun) -> RecipeOptions {
    RecipeOptions(
      sets: run.parameters.members.map { "\($0.key)=\($0.value.encoded())" }, numerics: NumericsClass(rawValue: run.numerics))
  }

  /// Instances of the run that a name or a pattern means.
  package static func instances(_ names: [String], of run: RecordedRun) throws -> [RecordedRun.Instance] {
    var chosen: [RecordedRun.Instance] = []
    for name in names {
      let found = StoreQueries.instances(name, run) + run.instances.filter { $0.path.segments.last?.name == name && $0.name != name }
      guard !found.isEmpty else { throw QueryError("no instance '\(name)' in run \(run.id) of \(run.recipe)") }
      for instance in found where !chosen.contains(where: { $0.name == instance.name }) { chosen.append(instance) }
    }
    return chosen
  }

  /// One after the other; `report` hears of each as it is done.
  package func verify(
    _ instances: [RecordedRun.Instance], progress: TaskProgress.Style = .silent, report: (Finding) -> Void
  ) throws -> [Finding] {
    let directory = try RunDirectory.begin(in: store, manifest: recipe.manifest.bytes)
    defer { try? store.files.remove(directory.path) }
    defer { try? directory.end() }
    try store.gate.enter()
    do {
      defer { store.gate.leave() }
      for index in recipe.graph.instances.indices {
        let judgement = try judge.judge(index)
        guard case .cached(let summary) = judgement.action else { continue }
        judge.settle(index, summary)
        directory.note("judged", [("key", .string(summary.key.text))])
      }
      try directory.flush()
    }
    let setting = try AttemptSetting(recipe, run: run.id, store, options)
    var findings: [Finding] = []
    let meter = WorkMeter()
    for (place, instance) in instances.enumerated() {
      let work = WorkDirectory(path: "\(directory.path)/work-\(place)", files: store.files)
      let start = monotonicSeconds()
      meter.begin("computing \(instance.name) (\(place + 1) of \(instances.count))")
      // Over before the finding is told, which goes to the same terminal.
      let verdict = try TaskProgress.during(meter, progress) { try verify(instance, work, setting) }
      try work.remove()
      let finding = Finding(instance: instance.name, verdict: verdict, seconds: monotonicSeconds() - start)
      findings.append(finding)
      report(finding)
    }
    return findings
  }

  // MARK: - One instance

  private func verify(_ recorded: RecordedRun.Instance, _ work: WorkDirectory, _ setting: AttemptSetting) throws -> Finding.Verdict {
    guard let wanted = recorded.key, let record = try store.result(wanted) else { return .impossible("it has no result") }
    guard let instance = recipe.graph.instances.first(where: { $0.name.utf8.elementsEqual(recorded.name.utf8) }) else {
      return .impossible("the manifest has no such instance any more")
    }
    guard let key = judge.key(instance.index) else { return .impossible("its inputs are not what they were, or not known") }
    guard key.digest == wanted else {
      let reasons = Reasons.explain(new: key.parts, old: record.parts, instance, in: recipe.graph)
      return .impossible("it has changed since: \(ReasonText.shortened(reasons, to: 4))")
    }
    if record.answer.isMixed { return .impossible("it went on from a checkpoint of another kernel, so it cannot be had again") }
    let lock = try FileLock.wait(work.path + "-lock", .exclusive, store.files)
    defer { lock.release() }
    do {
      let rehearsal = try attempt(instance, key, setting).rehearse(in: work, lock)
      return Self.compare(record.answer, rehearsal)
    } catch let problem as StageProblem {
      return .failed(([problem.message] + problem.logTail.suffix(3)).joined(separator: "; "))
    }
  }

  private func attempt(_ instance: StageInstance, _ key: StageKey, _ setting: AttemptSetting) throws -> StageAttempt {
    let order = AttemptOrder(
      instance, key, inputs: try StageInputs(instance, judge: judge), isRerun: true, needsBytes: false,
      isHermetic: recipe.graph.isHermetic(instance))
    return StageAttempt(setting, order, gpus: Array(options.machine.gpus.prefix(instance.resources.gpus)), ChildProcess())
  }

  // MARK: - Comparing

  static func compare(_ answer: ResultOutcome, _ rehearsal: StageAttempt.Rehearsal) -> Finding.Verdict {
    let different = answer.outputs.filter { output in
      rehearsal.outputs.first { $0.name.utf8.elementsEqual(output.name.utf8) }?.digest != output.digest
    }
    if different.isEmpty { return .same }
    return .different(different.map(\.name), reasons: reasons(answer.host, rehearsal.host))
  }

  /// Where it was computed and what that took.
  private static let circumstances: Set<String> = [
    "host", "executor", "cluster", "job", "node", "elapsed", "cpu_seconds", "max_memory", "waited", "starts",
  ]

  /// Kernel, CPU, library, threads, class: what is recorded beside a result because it could change bytes. The host's name could not.
  static func reasons(_ old: JSONObject, _ new: JSONObject) -> [String] {
    let names = old.keys + new.keys.filter { old[$0] == nil }
    let reasons = names.filter { !circumstances.contains($0) && old[$0] != new[$0] }.map { name in
      "\(name) \(old[name].map(ValueText.short) ?? "none") -> \(new[name].map(ValueText.short) ?? "none")"
    }
    if !reasons.isEmpty { return reasons }
    return ["the same machine, threads and libraries as far as recorded: the stage does not give the same bytes twice"]
  }
}

extension Verification.Finding {
  package var isSame: Bool { verdict == .same }

  package var line: String {
    switch verdict {
    case .same: "same       \(instance)  \(DurationText.text(seconds))"
    case .different(let outputs, let reasons):
      "different  \(instance)  \(outputs.joined(separator: ", ")): \(reasons.joined(separator: "; "))"
    case .failed(let message): "failed     \(instance)  \(message)"
    case .impossible(let message): "not done   \(instance)  \(message)"
    }
  }

  package var json: JSONValue {
    var object = JSONObject([("instance", .string(instance)), ("seconds", .number(seconds))])
    switch verdict {
    case .same: object.set("verdict", "same")
    case .different(let outputs, let reasons):
      object.set("verdict", "different")
      object.set("outputs", .array(outputs.map(JSONValue.string)))
      object.set("reasons", .array(reasons.map(JSONValue.string)))
    case .failed(let message):
      object.set("verdict", "failed")
      object.set("reasons", [.string(message)])
    case .impossible(let message):
      object.set("verdict", "not done")
      object.set("reasons", [.string(message)])
    }
    return .object(object)
  }
}
