import Artifacts
import Diagnostics
import Execution
import Hashing
import JSONValues
import Planning

/// In what a recipe as it is now is not the recipe that was locked, before anything is run: files, sources, and keys, each instance as if
/// those before it had given what is locked.
package struct LockComparison: Sendable {
  package struct Finding: Sendable, Equatable {
    package enum Subject: String, Sendable { case recipe, contract, source, instance, file }

    package let subject: Subject
    package let name: String
    /// In words, the planner's where it has any.
    package let reasons: [String]
  }

  /// What is different, in the order: recipe, files, contracts, sources, instances.
  package let findings: [Finding]
  /// Instances whose key cannot be told before what they need has been run: it is not locked, or not what it was.
  package let undetermined: [String]

  /// Keys and results differ only where one of these does.
  package var changesKeys: Bool { findings.contains { $0.subject == .instance || $0.subject == .source || $0.subject == .recipe } }

  /// Sources that differ, by how the lock names them.
  package var changedSources: [String] { findings.filter { $0.subject == .source }.map(\.name) }

  package var isSame: Bool { findings.isEmpty }

  /// - Parameter lock: as it was written; `planned` as the recipe is.
  package init(_ planned: PlannedRecipe, with lock: RecipeLock, storePath: String, variables: [String: String]) throws {
    let now = try LockMaking(planned, storePath: storePath, variables: variables).make()
    let walk = try Walk(planned, lock, storePath, variables)
    findings =
      Self.recipe(now, lock) + Self.files(now, lock) + Self.contracts(now, lock) + Self.sources(now, lock) + walk.findings
    undetermined = walk.undetermined
  }

  // MARK: - Parts

  private static func recipe(_ now: RecipeLock, _ lock: RecipeLock) -> [Finding] {
    var reasons: [String] = []
    if now.numerics != lock.numerics { reasons.append("numerics \(lock.numerics) -> \(now.numerics)") }
    for (name, value) in now.parameters.members where lock.parameters[name] != value {
      reasons.append("\(name) \(lock.parameters[name].map(ValueText.short) ?? "none") -> \(ValueText.short(value))")
    }
    for name in lock.parameters.keys where now.parameters[name] == nil { reasons.append("param \(name) removed") }
    return reasons.isEmpty ? [] : [Finding(subject: .recipe, name: now.recipe, reasons: reasons)]
  }

  private static func files(_ now: RecipeLock, _ lock: RecipeLock) -> [Finding] {
    // One more is none that anything was made from; a contract may have come with the program then, and with the recipe now.
    let known = Set(lock.files.map { ByteString($0.path) })
    let files = now.files.filter { known.contains(ByteString($0.path)) }
    return differences(.file, files.map { ($0.path, $0.digest) }, lock.files.map { ($0.path, $0.digest) })
  }

  private static func contracts(_ now: RecipeLock, _ lock: RecipeLock) -> [Finding] {
    now.contracts.compactMap { contract in
      guard let locked = lock.contracts.first(where: { $0.stage == contract.stage }) else { return nil }
      guard locked.version != contract.version else { return nil }
      return Finding(subject: .contract, name: contract.stage, reasons: ["version \(locked.version) -> \(contract.version)"])
    }
  }

  private static func sources(_ now: RecipeLock, _ lock: RecipeLock) -> [Finding] {
    differences(.source, now.sources.map { ($0.origin, $0.digest) }, lock.sources.map { ($0.origin, $0.digest) })
  }

  private static func differences(
    _ subject: Finding.Subject, _ now: [(String, Digest)], _ locked: [(String, Digest)]
  ) -> [Finding] {
    let before = Dictionary(locked.map { (ByteString($0.0), $0.1) }, uniquingKeysWith: { first, _ in first })
    let after = Set(now.map { ByteString($0.0) })
    let changed = now.compactMap { name, digest -> Finding? in
      guard let old = before[ByteString(name)] else { return Finding(subject: subject, name: name, reasons: ["is not in the lock"]) }
      return old == digest ? nil : Finding(subject: subject, name: name, reasons: ["\(old.text) -> \(digest.text)"])
    }
    return changed
      + locked.filter { !after.contains(ByteString($0.0)) }.map { Finding(subject: subject, name: $0.0, reasons: ["is gone"]) }
  }
}

extension LockComparison {
  /// Every instance in order, its inputs being what is locked.
  private struct Walk {
    var findings: [Finding] = []
    var undetermined: [String] = []

    init(_ planned: PlannedRecipe, _ lock: RecipeLock, _ storePath: String, _ variables: [String: String]) throws {
      let judge = Judge(graph: planned.graph, store: try Store(reading: storePath), variables: variables)
      let locked = lock.byName
      for (index, instance) in planned.graph.instances.enumerated() {
        guard let before = locked[ByteString(instance.name)] else {
          findings.append(Finding(subject: .instance, name: instance.name, reasons: ["is not in the lock"]))
          continue
        }
        let judgement = try judge.judge(index)
        guard let key = judgement.key, let wanted = before.key else {
          undetermined.append(instance.name)
          continue
        }
        if key.digest == wanted {
          if let summary = before.summary(recipe: lock.recipe) { judge.settle(index, summary) }
        } else {
          let reasons = Reasons.explain(new: key.parts, old: before.parts, instance, in: planned.graph)
          findings.append(Finding(subject: .instance, name: instance.name, reasons: reasons))
        }
      }
      let names = Set(planned.graph.instances.map { ByteString($0.name) })
      for instance in lock.instances where !names.contains(ByteString(instance.name)) {
        findings.append(Finding(subject: .instance, name: instance.name, reasons: ["is gone"]))
      }
    }
  }
}

extension RecipeLock.Instance {
  /// As if it stood in a store; nil without a result.
  package func summary(recipe: String) -> ResultSummary? {
    guard let key, let outputs else { return nil }
    let stored = outputs.map {
      StoredOutput(name: $0.name, type: $0.type, digest: $0.digest, size: $0.size, isDirectory: $0.isDirectory)
    }
    let outcome = ResultOutcome(outputs: stored, recipe: recipe, instance: name, run: "", finished: 0, seconds: 0)
    return ResultSummary(ResultRecord(key: key, stage: stage, parts: parts, outcome: outcome))
  }
}

extension LockComparison {
  /// A line each: `source  data.jsonl  sha256:… -> sha256:…`.
  package var lines: [String] {
    let width = findings.reduce(0) { max($0, $1.subject.rawValue.count) }
    return findings.map { finding in
      let kind = finding.subject.rawValue + String(repeating: " ", count: width - finding.subject.rawValue.count)
      let name = VisibleText.line(finding.name, on: .terminal)
      return "\(kind)  \(name)  " + VisibleText.line(finding.reasons.joined(separator: "; "), most: 600, on: .terminal)
    }
  }

  package var json: JSONValue {
    [
      "same": .bool(isSame),
      "differences": .array(
        findings.map {
          ["what": .string($0.subject.rawValue), "name": .string($0.name), "reasons": .array($0.reasons.map(JSONValue.string))]
        }), "undetermined": .array(undetermined.map(JSONValue.string)),
    ]
  }
}
