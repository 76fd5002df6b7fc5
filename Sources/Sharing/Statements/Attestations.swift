import Artifacts
import Execution
import Hashing
import JSONValues
import Planning

/// The statements that a reproduction leaves: one for each stage that was computed (SLSA provenance v1), and one of the comparison.
package struct Attestations {
  /// Own predicate; `docs/sharing.md` says what it holds.
  package static let reproductionType = "urn:heirloom:predicate:reproduction:v1"
  package static let provenanceType = "https://slsa.dev/provenance/v1"
  package static let buildType = "urn:heirloom:build:stage:v1"
  /// Nobody but whoever signs vouches for where it was computed.
  package static let unnamedBuilder = "urn:heirloom:builder:unnamed"

  private let outcome: Reproduction.Outcome
  private let builder: String

  package init(_ outcome: Reproduction.Outcome, builder: String = Self.unnamedBuilder) {
    self.outcome = outcome
    self.builder = builder
  }

  /// By file name without its ending, which is the same for everybody who computes the same.
  package func all() throws -> [(name: String, statement: Statement)] {
    var all = [("reproduction-\(outcome.lock.digest.hex)", reproduction)]
    for instance in outcome.run.instances {
      guard let key = instance.key, let record = try outcome.store.result(key), record.answer.run.utf8.elementsEqual(outcome.run.id.utf8)
      else {
        continue
      }
      let name = "provenance-\(key.hex)"
      if !all.contains(where: { $0.0 == name }) { all.append((name, try provenance(record, instance))) }
    }
    return all
  }

  // MARK: - The comparison

  private var reproduction: Statement {
    let report = outcome.report
    let subjects = report.rows.compactMap { row -> Statement.Subject? in
      guard let found = row.found, row.verdict != .trusted else { return nil }
      return Statement.Subject(name: row.name, digest: found, annotations: JSONObject([("verdict", .string(row.verdict.rawValue))]))
    }
    let lock = Statement.Subject(name: RecipeLock.path(ofManifest: outcome.lock.manifest), digest: outcome.lock.digest)
    guard case .object(var predicate) = report.json else { return Statement(subjects: [lock], predicateType: "", predicate: .null) }
    predicate.set("started", .string(Self.time(report.started)))
    predicate.set("finished", .string(Self.time(report.finished)))
    predicate.set("environment", .object(report.host))
    predicate.set("builder", ["id": .string(builder)])
    return Statement(subjects: [lock] + subjects, predicateType: Self.reproductionType, predicate: .object(predicate))
  }

  // MARK: - A stage

  private func provenance(_ record: ResultRecord, _ instance: RecordedRun.Instance) throws -> Statement {
    let answer = record.answer
    var subjects: [Statement.Subject] = []
    for output in answer.outputs { subjects += try self.subjects(output, instance.name) }
    let definition: JSONValue = [
      "buildType": .string(Self.buildType),
      "externalParameters": [
        "recipe": .string(outcome.lock.recipe), "instance": .string(instance.name), "stage": .string(record.stage),
        "version": record.parts["version"] ?? .null, "parameters": record.parts["parameters"] ?? .null,
      ],
      "internalParameters": [
        "key": .string(record.key.text), "numerics": .string(outcome.lock.numerics), "run": record.parts["run"] ?? .null,
      ],
      "resolvedDependencies": .array(dependencies(record)),
    ]
    var environment = answer.host
    environment.set("host", nil)
    let details: JSONValue = [
      "builder": ["id": .string(builder), "version": ["heirloom": .string(ProgramVersion.text)]],
      "metadata": [
        "invocationId": .string("\(answer.run)/\(instance.name)"), "startedOn": .string(Self.time(answer.finished - answer.seconds)),
        "finishedOn": .string(Self.time(answer.finished)),
      ],
      "byproducts": [["name": "environment", "mediaType": "application/json", "annotations": .object(environment)]],
    ]
    return Statement(
      subjects: subjects, predicateType: Self.provenanceType, predicate: ["buildDefinition": definition, "runDetails": details])
  }

  /// An output; of a directory its listing, and every file in it.
  private func subjects(_ output: StoredOutput, _ instance: String) throws(StoreError) -> [Statement.Subject] {
    let name = "\(instance).\(output.name)"
    var annotations = JSONObject([("type", .string(output.type))])
    guard output.isDirectory else { return [Statement.Subject(name: name, digest: output.digest, annotations: annotations)] }
    annotations.set("listing", "heirloom tree 1")
    let files = try outcome.store.listing(output.digest)?.files ?? []
    return [Statement.Subject(name: name, digest: output.digest, annotations: annotations)]
      + files.map { Statement.Subject(name: "\(name)/\($0.path)", digest: $0.digest) }
  }

  /// Inputs, the contract, and what its command is made of, by digest.
  private func dependencies(_ record: ResultRecord) -> [JSONValue] {
    var list: [JSONValue] = []
    func add(_ name: String, _ digest: Digest) { list.append(["name": .string(name), "digest": ["sha256": .string(digest.hex)]]) }
    for (name, value) in record.parts["inputs"]?.objectValue?.members ?? [] {
      let elements = value.arrayValue ?? [value]
      for (place, element) in elements.enumerated() {
        guard let digest = (element["digest"] ?? element).stringValue.flatMap(Digest.init) else { continue }
        add(value.arrayValue == nil ? "inputs.\(name)" : "inputs.\(name)[\(place)]", digest)
      }
    }
    for (name, value) in record.parts["run"]?["sources"]?.objectValue?.members ?? [] {
      if let digest = value.stringValue.flatMap(Digest.init) { add("sources.\(name)", digest) }
    }
    if let contract = outcome.lock.contracts.first(where: { $0.stage == record.stage }) {
      add("contract.\(contract.stage)", contract.digest)
    }
    return list
  }

  /// RFC 3339, whole seconds, UTC.
  static func time(_ seconds: Double) -> String { RunTime.text(seconds) }
}
