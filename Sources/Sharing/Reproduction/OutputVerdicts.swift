import Artifacts
import Execution
import Hashing
import JSONValues
import Planning

/// Sets what was found beside what was locked, instance after instance, so that what follows from something is told from what began it.
struct OutputVerdicts {
  private let planned: PlannedRecipe
  private let lock: RecipeLock
  private let run: RecordedRun
  private let judge: Judge
  private let chosen: Set<Int>
  private let locked: [ByteString: RecipeLock.Instance]
  /// `instance.output` of what came out different.
  private var different: [ByteString: ReproductionReport.Verdict] = [:]

  /// - Parameters:
  ///   - run: what was computed, in the store of `judge`.
  ///   - chosen: the instances that were to be computed.
  init(_ planned: PlannedRecipe, _ lock: RecipeLock, _ run: RecordedRun, _ judge: Judge, chosen: Set<Int>) {
    self.planned = planned
    self.lock = lock
    self.run = run
    self.judge = judge
    self.chosen = chosen
    locked = lock.byName
  }

  mutating func rows() throws -> [ReproductionReport.Row] {
    var rows: [ReproductionReport.Row] = []
    for index in planned.graph.instances.indices { rows += try self.rows(index) }
    return rows
  }

  private mutating func rows(_ index: Int) throws -> [ReproductionReport.Row] {
    let instance = planned.graph.instances[index]
    let before = locked[ByteString(instance.name)]
    let recorded = run.instances.first { $0.name.utf8.elementsEqual(instance.name.utf8) }
    let judgement = try judge.judge(index)
    let found = try judgement.key.flatMap { key throws(StoreError) in try judge.store.result(key.digest) }
    guard let found else { return missing(instance, before, recorded) }
    judge.settle(index, ResultSummary(found))
    guard let outputs = before?.outputs else {
      return found.answer.outputs.map { row(instance, $0.name, nil, $0.digest, .notLocked) }
    }
    let isComputed = found.answer.run.utf8.elementsEqual(run.id.utf8)
    let causes = self.causes(index, judgement.key, before)
    return try outputs.map { output in
      let now = found.answer.outputs.first { $0.name.utf8.elementsEqual(output.name.utf8) }
      guard now?.digest != output.digest else {
        return row(instance, output.name, output.digest, output.digest, isComputed ? .identical : .trusted)
      }
      return try differing(instance, output, now, found, before, causes)
    }
  }

  /// No result: it was not asked for, it failed, or something before it did.
  private func missing(
    _ instance: StageInstance, _ before: RecipeLock.Instance?, _ recorded: RecordedRun.Instance?
  ) -> [ReproductionReport.Row] {
    let hasFailed = recorded?.state == "failed"
    let why = recorded.flatMap { $0.error.map { [$0] } ?? ($0.state == "skipped" ? ["something that it needs has no result"] : nil) } ?? []
    let names = before?.outputs?.map { ($0.name, Optional($0.digest)) } ?? [("", nil)]
    return names.map { name, digest in row(instance, name, digest, nil, hasFailed ? .failed : .notRun, why) }
  }

  private mutating func differing(
    _ instance: StageInstance, _ output: RecipeLock.Output, _ now: StoredOutput?, _ found: ResultRecord, _ before: RecipeLock.Instance?,
    _ causes: (own: [String], follows: [(name: String, verdict: ReproductionReport.Verdict)])
  ) throws -> ReproductionReport.Row {
    var own = causes.own
    let kernels = (before?.kernel, found.answer.host["kernel"]?.stringValue)
    let tolerance = NumericsTolerance.of(numerics: lock.numerics, locked: kernels.0, found: kernels.1)
    let hasSameKey = found.key == before?.key
    if hasSameKey {
      own.append(
        kernels.0 == kernels.1
          ? "the same key gave other bytes" : "kernel \(kernels.0 ?? "not recorded") -> \(kernels.1 ?? "not recorded")")
    }
    let isAllowed =
      hasSameKey
      ? instance.contract.isNumeric && tolerance == .metrics
      : own.isEmpty && !causes.follows.isEmpty
        && causes.follows.allSatisfy { $0.verdict == .withinClass }
    var verdict: ReproductionReport.Verdict = isAllowed ? .withinClass : .differs
    if isAllowed, let now, output.type == "scores" {
      let metrics = try RecipeLock.Output(now, in: judge.store).metrics
      if let excess = NumericsTolerance.excess(output.metrics, metrics), !excess.isEmpty {
        verdict = .differs
        own += excess
      }
    }
    different[ByteString("\(instance.name).\(output.name)")] = verdict
    return row(instance, output.name, output.digest, now?.digest, verdict, own, causes.follows.map(\.name))
  }

  private func row(
    _ instance: StageInstance, _ output: String, _ locked: Digest?, _ found: Digest?, _ verdict: ReproductionReport.Verdict,
    _ causes: [String] = [], _ follows: [String] = []
  ) -> ReproductionReport.Row {
    ReproductionReport.Row(
      instance: instance.name, output: output, locked: locked, found: found, verdict: verdict, causes: causes, follows: follows)
  }

  // MARK: - Causes

  /// What is different about an instance itself, and which of its inputs were different before it.
  private func causes(
    _ index: Int, _ key: StageKey?, _ before: RecipeLock.Instance?
  ) -> (own: [String], follows: [(name: String, verdict: ReproductionReport.Verdict)]) {
    guard let key, let before, before.key != nil, key.digest != before.key else { return ([], []) }
    let instance = planned.graph.instances[index]
    var own: [String] = []
    var follows: [(String, ReproductionReport.Verdict)] = []
    for input in instance.inputs {
      for element in input.elements {
        switch element.source {
        case .file(let path): if let change = sourceChange(path), !own.contains(change) { own.append(change) }
        case .output:
          let name = planned.graph.sourceName(element)
          if let verdict = different[ByteString(name)], !follows.contains(where: { $0.0 == name }) { follows.append((name, verdict)) }
        }
      }
    }
    own += Reasons.explain(new: Self.with(inputsOf: before.parts, key.parts), old: before.parts, instance, in: planned.graph)
    if own.isEmpty, follows.isEmpty { own = Reasons.explain(new: key.parts, old: before.parts, instance, in: planned.graph) }
    return (own, follows)
  }

  /// `source records.jsonl 0123456789ab -> ba9876543210`.
  private func sourceChange(_ path: String) -> String? {
    let origin = planned.root.relative(path) ?? path
    guard let now = judge.content(ofSource: path) else { return nil }
    guard let locked = lock.sources.first(where: { $0.origin.utf8.elementsEqual(origin.utf8) }) else {
      return "source \(origin) is not in the lock"
    }
    guard locked.digest != now.digest else { return nil }
    return "source \(origin) \(locked.digest.hex.prefix(12)) -> \(now.digest.hex.prefix(12))"
  }

  private static func with(inputsOf old: JSONValue, _ new: JSONValue) -> JSONValue {
    guard case .object(var object) = new else { return new }
    object.set("inputs", old["inputs"])
    return .object(object)
  }
}
