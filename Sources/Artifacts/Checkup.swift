import Dispatch
import Hashing
import JSONValues
import Synchronization

/// Looks through a whole store: every object is hashed again, every result read and held against its key and its outputs, and so are
/// trees, views and the index.
///
/// It takes no lock and is safe, and says nothing false, beside runs and beside `gc`: files appear whole, so one that is there and wrong
/// is damage; one that is not there was collected or is not there yet, which is none. What looks damaged is looked at a second time, for
/// it may have been replaced meanwhile.
///
/// With `repair`, damage is set aside in `damaged/`, where nothing looks for it, and outputs that lost bytes are written down (see
/// `Store.lostOutputs`): the next run computes them again although their result is there. Results that are damaged themselves simply are
/// not there any more. Trees and the index are derived, so they are made again at once.
package struct Checkup: Sendable {
  package enum Mode: Sendable { case report, repair }

  let store: Store
  private let jobs: Int
  private let now: Int

  package init(_ store: Store, jobs: Int = 2, now: Int = wallClock()) {
    self.store = store
    self.jobs = max(1, jobs)
    self.now = now
  }

  /// The hashing threads tell `meter` how far they are.
  package func run(
    _ mode: Mode = .report, meter: WorkMeter? = nil
  ) throws(StoreError) -> CheckupReport {
    var report = CheckupReport()
    meter?.begin("listing objects")
    try checkDirectories(&report)
    let survey = try surveyObjects(&report, meter)
    let damaged = try hash(survey, &report, meter)
    meter?.begin("checking results")
    var results = ResultCheckup(store: store, damaged: damaged)
    try results.run(&report)
    report.orphans = survey.count { !results.spokenOf.contains($0.digest) }
    report.orphanBytes = survey.reduce(0) { results.spokenOf.contains($1.digest) ? $0 : $0 + $1.size }
    meter?.begin("checking the index, trees and views")
    try checkIndex(results, &report)
    try checkTrees(&report)
    try checkViews(&report)
    try checkPins(&report)
    try findLeftovers(&report)
    if mode == .repair { try Mending(store: store).mend(&report) }
    return report
  }

  // MARK: - Directories

  /// A store without its mark was still being made when somebody was killed; the next run makes the rest.
  private func checkDirectories(_ report: inout CheckupReport) throws(StoreError) {
    guard try store.files.exists(store.root + "/format") else { return }
    for path in Store.directories where try store.files.status("\(store.root)/\(path)")?.kind != .directory {
      report.damage.append(CheckupReport.Damage(.directory, path, "this directory is missing"))
    }
  }

  // MARK: - Objects

  private struct Entry {
    let digest: Digest
    let size: Int
  }

  private func surveyObjects(_ report: inout CheckupReport, _ meter: WorkMeter?) throws(StoreError) -> [Entry] {
    var entries: [Entry] = []
    for shard in try store.files.list(store.root + "/objects") ?? [] {
      for name in try store.files.list("\(store.root)/objects/\(shard)") ?? [] {
        let path = "objects/\(shard)/\(name)"
        meter?.add(items: 1)
        // Gone since it was listed: collected.
        guard let status = try store.files.status("\(store.root)/\(path)", followingLinks: false) else { continue }
        guard let digest = Digest(shard + name), Store.shard(digest) == "\(shard)/\(name)" else {
          report.leftovers.append(path)
          continue
        }
        guard status.kind == .file else {
          report.damage.append(CheckupReport.Damage(.object, path, "is no file", digest: digest))
          continue
        }
        entries.append(Entry(digest: digest, size: status.size))
      }
    }
    return entries
  }

  /// Hashes every object, the large ones first so that no thread is left alone with one at the end.
  private func hash(
    _ entries: [Entry], _ report: inout CheckupReport, _ meter: WorkMeter?
  ) throws(StoreError) -> Set<Digest> {
    let order = entries.sorted { ($1.size, $0.digest) < ($0.size, $1.digest) }
    let total = entries.reduce(0) { $0 + $1.size }
    meter?.begin("hashing \(Count.text(entries.count, "object"))", items: entries.count, bytes: total)
    let next = Atomic<Int>(0)
    let damage = Mutex<[CheckupReport.Damage]>([])
    DispatchQueue.concurrentPerform(iterations: jobs) { _ in
      while true {
        let place = next.add(1, ordering: .relaxed).oldValue
        guard place < order.count else { return }
        if let found = check(order[place].digest, meter) { damage.withLock { $0.append(found) } }
        meter?.add(items: 1)
      }
    }
    let found = damage.withLock { $0 }.sorted { $0.path < $1.path }
    report.objects = entries.count
    report.bytes = total
    report.damage += found
    return Set(report.damage.compactMap(\.digest))
  }

  /// What is wrong with an object that was there a moment ago; nil when nothing is, or when it is gone.
  private func check(_ digest: Digest, _ meter: WorkMeter?) -> CheckupReport.Damage? {
    let path = store.objectPath(digest)
    let place = "objects/\(Store.shard(digest))"
    var problem: String?
    // A second look, for the file may have been replaced by a whole one in between.
    for _ in 0..<2 {
      switch look(path, meter) {
      case .is(digest), .gone: return nil
      case .is(let other): problem = "its content is \(other)"
      case .unreadable(let message): problem = message
      }
    }
    return problem.map { CheckupReport.Damage(.object, place, $0, digest: digest) }
  }

  private enum Look {
    case `is`(Digest)
    case gone
    case unreadable(String)
  }

  private func look(_ path: String, _ meter: WorkMeter?) -> Look {
    do {
      try store.files.begin(.read, path)
      return .is(try Digest.ofFile(path) { meter?.add(bytes: $0) }.digest)
    } catch let error as StoreError {
      return .unreadable(error.message)
    } catch {
      if (try? store.files.exists(path)) == false { return .gone }
      return .unreadable("\(error)")
    }
  }

  // MARK: - What a killed process left

  private func findLeftovers(_ report: inout CheckupReport) throws(StoreError) {
    for directory in ["incoming", "trees", "index"] { try findTemporaries(in: directory, &report) }
    for name in try store.abandonedParts() { report.leftovers.append("incoming/\(name)") }
    for shard in try store.files.list(store.root + "/results") ?? [] { try findTemporaries(in: "results/\(shard)", &report) }
    for name in try store.files.list(store.root + "/work") ?? [] {
      guard let key = Digest(name), let lock = try FileLock.attempt(store.lockPath(key), .exclusive, store.files) else { continue }
      lock.release()
      report.leftovers.append("work/\(name)")
    }
  }

  private func findTemporaries(in directory: String, _ report: inout CheckupReport) throws(StoreError) {
    for name in try store.files.list("\(store.root)/\(directory)") ?? [] where TemporaryName.isTemporary(name) {
      guard let status = try store.files.status("\(store.root)/\(directory)/\(name)", followingLinks: false) else { continue }
      if TemporaryName.isStale(name, status, now: now) { report.leftovers.append("\(directory)/\(name)") }
    }
  }
}
