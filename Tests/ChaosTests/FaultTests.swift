import Artifacts
import Foundation
import JSONValues
import Testing

/// Whatever operation of the store fails, and however: the run ends with status 3 and blames no stage, what is in the store is whole, and
/// the next run does what is missing and nothing else.
@Suite("A disk that fails", .serialized) struct FaultTests {
  /// What the store holds when the run begins.
  enum Start: String, CaseIterable, Sendable { case empty, earlierResults }

  struct Case: Sendable, CustomTestStringConvertible {
    let kind: FaultyDisk.Kind
    let extent: FaultyDisk.Extent
    let start: Start
    var testDescription: String { "\(kind.rawValue), \(extent.rawValue), \(start.rawValue)" }

    static let all = FaultyDisk.Kind.allCases.flatMap { kind in
      FaultyDisk.Extent.allCases.flatMap { extent in Start.allCases.map { Case(kind: kind, extent: extent, start: $0) } }
    }
  }

  /// A project, stores to begin from, and the results of a run that nothing disturbed.
  fileprivate struct Ground {
    let workshop: Workshop
    let reference: [String: [String]]

    init() throws {
      workshop = try Workshop()
      _ = try Store.open(workshop.root + "/empty")
      #expect(try workshop.run(store: workshop.root + "/earlierResults").exitStatus == 0)
      #expect(try workshop.run(Self.sets, store: workshop.root + "/both").exitStatus == 0)
      reference = try StoreInspection(workshop.root + "/both").results
    }

    /// With another count `steps` and `all` have to run, and the rest is there already.
    static let sets = ["count=4"]

    func store(_ start: Start) throws -> String {
      let path = workshop.root + "/" + UUID().uuidString
      try FileManager.default.copyItem(atPath: "\(workshop.root)/\(start.rawValue)", toPath: path)
      return path
    }
  }

  private static let ground = Result { try Ground() }

  @Test("each operation fails in turn", arguments: Case.all)
  func eachOperation(_ trial: Case) throws {
    let ground = try Self.ground.get()
    let healthy = FaultyDisk.healthy(root: try ground.store(trial.start), trial.kind)
    try play(ground, healthy, trial)
    let count = healthy.operations
    for place in places(count, trial) {
      let store = try ground.store(trial.start)
      let plan = FaultyDisk.Plan(kind: trial.kind, extent: trial.extent, place: place, bytes: [0, 1, 7, 60][place % 4])
      try play(ground, FaultyDisk(root: store, plan), trial)
    }
    print("faults: \(trial.testDescription): \(Amount.faults.map { min($0, count) } ?? count) of \(count) operations")
  }

  private func places(_ count: Int, _ trial: Case) -> [Int] {
    guard let wanted = Amount.faults, wanted < count else { return Array(0..<count) }
    var random = SeededBits(seed: Amount.seed &+ UInt64(trial.testDescription.utf8.count))
    return (0..<wanted).map { _ in Int.random(in: 0..<count, using: &random) }
  }

  /// A run on the faulty disk, a look at what it left, and a run on a healthy one.
  private func play(_ ground: Ground, _ disk: FaultyDisk, _ trial: Case) throws {
    defer { try? FileSystem.posix.remove(disk.root) }
    let (status, words) = ground.workshop.status(Ground.sets, store: disk.root, files: disk.files)
    let what: Comment = "\(trial.testDescription), \(disk.description): status \(status), \(words)"
    #expect(disk.hit == nil ? status == 0 : status == 0 || status == 3, what)

    let left = try StoreInspection(disk.root)
    #expect(left.faults == [], what)
    for (key, outputs) in left.results { #expect(ground.isKnown(key, outputs), what) }

    let next = ground.workshop.status(Ground.sets, store: disk.root, files: .posix)
    #expect(next.status == 0, "\(what); then \(next.words)")
    let after = try StoreInspection(disk.root)
    #expect(after.faults == [], what)
    for (key, outputs) in ground.reference { #expect(after.results[key] == outputs, what) }
    let history = try RunHistory(disk.root)
    #expect(history.runs.last?.started.isDisjoint(with: left.results.keys) == true, what)
    #expect(history.repeated == [], what)
  }

  @Test("what a stage said of itself is not left out of its result for a disk that cannot be read")
  func events() throws {
    let workshop = try Workshop()
    let broken = FileSystem { $0 == .read && $1.hasSuffix("/events.jsonl") ? EIO : nil }
    #expect(workshop.status(files: broken).status == 3)
    #expect(try StoreInspection(workshop.store).results.isEmpty)
  }

  @Test("a view that could not be changed leaves nothing beside it")
  func views() throws {
    let workshop = try Workshop()
    let broken = FileSystem { $0 == .rename && $1.contains("/views/") ? EIO : nil }
    #expect(workshop.status(files: broken).status == 3)
    #expect((FileManager.default.subpaths(atPath: workshop.store + "/views") ?? []).allSatisfy { !$0.contains(".tmp-") })
  }

  @Test("a journal line that was torn is said again on a line of its own")
  func journal() throws {
    let workshop = try Workshop()
    let store = try Store.open(workshop.store)
    let disk = FaultyDisk(root: workshop.store, FaultyDisk.Plan(kind: .shortWrite, extent: .once, place: 1, bytes: 9))
    let run = try RunDirectory.begin(in: Store(reading: store.root, files: disk.files), manifest: [])
    run.note("first", [])
    #expect(throws: StoreError.self) { try run.flush() }
    run.note("second", [])
    try run.end()
    let text = String(decoding: try store.files.read(run.path + "/journal.jsonl") ?? [], as: UTF8.self)
    #expect(text.split(separator: "\n").compactMap { try? JSONValue.parse(String($0))["kind"]?.stringValue } == ["first", "second"])
  }

  @Test("a store that could not be made is made by the next run")
  func creation() throws {
    let ground = try Self.ground.get()
    var random = SeededBits(seed: Amount.seed)
    for kind in FaultyDisk.Kind.allCases {
      for extent in FaultyDisk.Extent.allCases.prefix(Amount.faults == nil ? 2 : 1) {
        let store = ground.workshop.root + "/" + UUID().uuidString
        let healthy = FaultyDisk.healthy(root: store, kind)
        _ = try Store.open(store, files: healthy.files)
        try FileSystem.posix.remove(store)
        let place = Int.random(in: 0..<healthy.operations, using: &random)
        try play(
          ground, FaultyDisk(root: store, FaultyDisk.Plan(kind: kind, extent: extent, place: place)),
          Case(kind: kind, extent: extent, start: .empty))
      }
    }
  }
}

extension FaultTests.Ground {
  fileprivate func isKnown(_ key: String, _ outputs: [String]) -> Bool { reference[key].map { $0 == outputs } ?? true }
}
