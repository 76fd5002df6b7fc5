import Hashing
import JSONValues

/// The part of a checkup that reads results: each says what its name says, its key is the digest of its parts, its outputs are what they
/// are called. It also finds what damaged objects belong to.
struct ResultCheckup {
  private let store: Store
  private let damaged: Set<Digest>
  /// Every digest that a result or a listing names: those that are left are orphans.
  private(set) var spokenOf: Set<Digest> = []
  /// Sound results, for the index to be held against.
  private(set) var summaries: [Digest: (summary: ResultSummary, status: FileStatus)] = [:]
  private var listings: [Digest: TreeListing] = [:]
  private var holders: [Digest: [CheckupReport.Holder]] = [:]
  private var users: [Digest: [CheckupReport.Holder]] = [:]

  init(store: Store, damaged: Set<Digest>) {
    self.store = store
    self.damaged = damaged
  }

  mutating func run(_ report: inout CheckupReport) throws(StoreError) {
    for shard in try store.files.list(store.root + "/results") ?? [] {
      for name in try store.files.list("\(store.root)/results/\(shard)") ?? [] where !TemporaryName.isTemporary(name) {
        try check("results/\(shard)/\(name)", name.hasSuffix(".json") ? Digest(shard + name.dropLast(5)) : nil, &report)
      }
    }
    for place in report.damage.indices {
      guard let digest = report.damage[place].digest else { continue }
      report.damage[place].holders = holders[digest] ?? []
      report.damage[place].users = users[digest] ?? []
    }
  }

  // MARK: - One result

  private mutating func check(_ path: String, _ key: Digest?, _ report: inout CheckupReport) throws(StoreError) {
    guard let key else { return report.leftovers.append(path) }
    report.results += 1
    let problem: String
    do throws(StoreError) {
      let full = "\(store.root)/\(path)"
      guard let status = try store.files.status(full), let bytes = try store.files.read(full) else {
        report.results -= 1
        return
      }
      guard let record = (try? JSONValue(parsing: bytes)).flatMap(ResultRecord.init(json:)) else {
        return report.damage.append(CheckupReport.Damage(.result, path, "this is no result"))
      }
      guard let found = try self.problem(record, key) else { return try accept(record, status, &report) }
      problem = found
    } catch { problem = error.message }
    report.damage.append(CheckupReport.Damage(.result, path, problem))
  }

  private mutating func problem(_ record: ResultRecord, _ key: Digest) throws(StoreError) -> String? {
    guard record.key == key else { return "it is the result of \(record.key)" }
    let digest = Digest(hashing: CanonicalJSON.bytes(record.parts))
    guard digest == key else { return "its parts have the key \(digest)" }
    for outcome in record.outcomes {
      for output in outcome.outputs where !damaged.contains(output.digest) {
        if let problem = try self.problem(output) { return "output \(output.name): \(problem)" }
      }
    }
    return nil
  }

  /// What is there is what the result says; what is not there is legal.
  private mutating func problem(_ output: StoredOutput) throws(StoreError) -> String? {
    guard let status = try store.files.status(store.objectPath(output.digest)) else { return nil }
    guard output.isDirectory else { return status.size == output.size ? nil : "\(status.size) bytes instead of \(output.size)" }
    if let known = listings[output.digest] { return known.size == output.size ? nil : "\(known.size) bytes instead of \(output.size)" }
    guard let bytes = try store.object(output.digest) else { return nil }
    guard let listing = TreeListing(bytes: bytes) else { return "\(output.digest) lists no directory" }
    listings[output.digest] = listing
    return listing.size == output.size ? nil : "\(listing.size) bytes instead of \(output.size)"
  }

  // MARK: - What hangs together

  private mutating func accept(_ record: ResultRecord, _ status: FileStatus, _ report: inout CheckupReport) throws(StoreError) {
    summaries[record.key] = (ResultSummary(record), status)
    for outcome in record.outcomes {
      for output in outcome.outputs { note(output, outcome, record.key) }
      if let log = outcome.log { note(log, CheckupReport.Holder(outcome, output: nil, record.key)) }
    }
    var isWhole = true
    for output in record.answer.outputs where try !holds(output) { isWhole = false }
    if !isWhole { report.resultsWithoutBytes += 1 }
    if !damaged.isEmpty { noteInputs(record) }
  }

  private mutating func note(_ output: StoredOutput, _ outcome: ResultOutcome, _ key: Digest) {
    let holder = CheckupReport.Holder(outcome, output: output.name, key)
    note(output.digest, holder)
    for file in listings[output.digest]?.files ?? [] { note(file.digest, holder) }
  }

  private mutating func note(_ digest: Digest, _ holder: CheckupReport.Holder) {
    spokenOf.insert(digest)
    guard damaged.contains(digest), holders[digest]?.contains(holder) != true else { return }
    holders[digest, default: []].append(holder)
  }

  private func holds(_ output: StoredOutput) throws(StoreError) -> Bool {
    guard output.isDirectory, let listing = listings[output.digest] else { return try store.hasObject(output.digest) }
    for file in listing.files where try !store.hasObject(file.digest) { return false }
    return true
  }

  /// Inputs stand in a key's parts by the digest of what was handed over.
  private mutating func noteInputs(_ record: ResultRecord) {
    var seen: Set<Digest> = []
    for input in record.parts["inputs"]?.objectValue?.members ?? [] {
      for element in input.value.arrayValue ?? [input.value] {
        guard let digest = (element["digest"] ?? element).stringValue.flatMap(Digest.init) else { continue }
        for part in [digest] + (listings[digest]?.files.map(\.digest) ?? []) where damaged.contains(part) && seen.insert(part).inserted {
          users[part, default: []].append(CheckupReport.Holder(record.answer, output: nil, record.key))
        }
      }
    }
  }
}

extension CheckupReport.Holder {
  init(_ outcome: ResultOutcome, output: String?, _ key: Digest) {
    self.init(recipe: outcome.recipe, instance: outcome.instance, output: output, key: key)
  }
}
