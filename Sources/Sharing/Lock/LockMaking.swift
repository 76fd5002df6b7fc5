import Artifacts
import Execution
import Hashing
import JSONValues
import Planning

/// Makes the lock of a recipe as it is now: sources are hashed, keys made, and results looked up in the store. Nothing is run.
package struct LockMaking {
  private let planned: PlannedRecipe
  private let store: Store
  private let judge: Judge

  /// - Parameter storePath: an absent store is an empty one.
  package init(_ planned: PlannedRecipe, storePath: String, variables: [String: String]) throws(StoreError) {
    self.planned = planned
    store = try Store(reading: storePath)
    judge = Judge(graph: planned.graph, store: store, variables: variables)
  }

  /// Where sources are hashed, for a progress line.
  package var meter: WorkMeter { store.sources.meter }

  /// Throws `SharingError` for what cannot be read, and `StoreError`.
  package func make() throws -> RecipeLock {
    let instances = try self.instances()
    let lock = RecipeLock(
      recipe: planned.graph.recipe, manifest: try relative(planned.recipe.path), engine: ProgramVersion.text,
      numerics: planned.graph.numerics.rawValue, parameters: planned.graph.parameters, files: try files(), contracts: contracts(),
      sources: try sources(), instances: instances)
    if try store.files.exists(store.root) { store.sources.save() }
    return lock
  }

  // MARK: - Instances

  private func instances() throws -> [RecipeLock.Instance] {
    var instances: [RecipeLock.Instance] = []
    for index in planned.graph.instances.indices {
      let judgement = try judge.judge(index)
      if case .impossible(let message) = judgement.action {
        throw SharingError("\(planned.graph.instances[index].name): \(message)")
      }
      instances.append(try instance(index, judgement.key))
    }
    return instances
  }

  private func instance(_ index: Int, _ key: StageKey?) throws -> RecipeLock.Instance {
    let instance = planned.graph.instances[index]
    let expected = Dictionary(instance.expect.map { ($0.output, $0.digest) }, uniquingKeysWith: { first, _ in first })
    guard let key else {
      return RecipeLock.Instance(
        name: instance.name, stage: instance.stage, key: nil, parts: .null, outputs: nil, expected: expected, kernel: nil)
    }
    let record = try store.result(key.digest)
    if let record { judge.settle(index, ResultSummary(record)) }
    return RecipeLock.Instance(
      name: instance.name, stage: instance.stage, key: key.digest, parts: key.parts,
      outputs: try record?.answer.outputs.map { try RecipeLock.Output($0, in: store) }, expected: expected,
      kernel: record?.answer.host["kernel"]?.stringValue)
  }

  // MARK: - What goes in

  private func relative(_ path: String) throws(SharingError) -> String {
    guard let relative = planned.root.relative(path) else { throw SharingError("lies outside of \(planned.root.path)", at: path) }
    return relative
  }

  /// Manifests, the project's own contracts, and what commands are made of.
  private func files() throws -> [RecipeLock.File] {
    var files: [RecipeLock.File] = []
    for (path, bytes) in planned.capture.contents {
      guard let relative = planned.root.relative(path), !ProjectRoot.isBelow(path, planned.installed) else { continue }
      files.append(RecipeLock.File(path: relative, digest: Digest(hashing: bytes), size: bytes.count))
    }
    for contract in planned.contracts where !ProjectRoot.isBelow(contract.path, planned.installed) {
      guard case .command(let command) = contract.run else { continue }
      for source in command.sources {
        let path = Paths.absolute(source, from: contract.directory)
        guard let relative = planned.root.relative(path), !files.contains(where: { $0.path == relative }) else { continue }
        let content = try store.sources.content(of: path)
        files.append(RecipeLock.File(path: relative, digest: content.digest, size: content.size))
      }
    }
    return files
  }

  private func contracts() -> [RecipeLock.Contract] {
    planned.contracts.compactMap { contract in
      guard let bytes = planned.bytes(ofPlanned: contract.path) else { return nil }
      let isInstalled = ProjectRoot.isBelow(contract.path, planned.installed)
      return RecipeLock.Contract(
        stage: contract.name, version: contract.version, digest: Digest(hashing: bytes),
        path: isInstalled ? nil : planned.root.relative(contract.path))
    }
  }

  private func sources() throws(SharingError) -> [RecipeLock.Source] {
    var sources: [RecipeLock.Source] = []
    for (path, written) in ProjectRoot.sources(planned.graph) {
      guard let content = judge.content(ofSource: path) else { throw SharingError("cannot be read", at: written) }
      let takers = planned.graph.instances.filter { $0.inputs.contains { $0.elements.contains { $0.source == .file(path: path) } } }
      sources.append(
        RecipeLock.Source(
          origin: planned.root.relative(path) ?? written, digest: content.digest, size: content.size, isDirectory: content.isDirectory,
          instances: takers.map(\.name).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }))
    }
    return sources
  }
}

extension RecipeLock.Output {
  private static let mostScoresBytes = 4 << 20

  /// Of scores the metrics come along, where the bytes are there.
  init(_ output: StoredOutput, in store: Store) throws(StoreError) {
    var metrics = JSONObject()
    if output.type == "scores", !output.isDirectory, output.size <= Self.mostScoresBytes, let bytes = try store.object(output.digest) {
      metrics = Self.metrics(ofScores: bytes)
    }
    self.init(
      name: output.name, type: output.type, digest: output.digest, size: output.size, isDirectory: output.isDirectory, metrics: metrics)
  }

  /// `{"exact_match": {"value": …, "stderr": …}, …}`; empty for what is no scores.
  static func metrics(ofScores bytes: [UInt8]) -> JSONObject {
    guard let members = (try? JSONValue(parsing: bytes))?["metrics"]?.objectValue?.members else { return JSONObject() }
    let kept = members.compactMap { name, metric -> (String, JSONValue)? in
      guard let value = metric["value"], value.numberValue != nil else { return nil }
      var object = JSONObject([("value", value)])
      if let error = metric["stderr"], error.numberValue != nil { object.set("stderr", error) }
      return (name, .object(object))
    }
    return JSONObject(kept)
  }
}
