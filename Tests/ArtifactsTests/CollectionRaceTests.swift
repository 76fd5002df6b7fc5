import Artifacts
import Foundation
import Glibc
import Hashing
import JSONValues
import Testing

/// What a run does while a collection is at a certain place, by letting the collector's file operations call it. A collector may be
/// anywhere when a run relies on something; whatever the run saw has to be true when the collection is over.
@Suite("gc beside runs")
struct CollectionRaceTests {
  /// Where the collector is: about to do its first operation on a path that ends so.
  static let moments = ["/runs", "/views", "/pins", "/objects", "/objects/KEPT", "/trees", "/work", "/incoming", "/locks/gate-queue"]

  private func collect(_ place: TemporaryStore, at moment: String, _ shard: String, _ body: @escaping @Sendable () throws -> Void) throws {
    let once = Once(body)
    let ending = moment.replacingOccurrences(of: "KEPT", with: shard)
    let store = try place.open(
      FileSystem(fault: { _, path in
        if path.hasSuffix(ending) { once.run() }
        return nil
      }))
    // Something goes in any case, so that the collector comes as far as that.
    try place.open().compute("nobodys \(moment)", ["out": "nobody's \(moment)"])
    #expect(try Collection(all: store, keepRuns: 0).run().objects > 0)
    try once.check()
  }

  private func shard(_ text: String) -> String { String(Digest(hashing: text).hex.prefix(2)) }

  @Test("a run that judges a result as cached keeps its bytes, wherever the collector is")
  func judging() throws {
    let place = TemporaryStore()
    let store = try place.open()
    for moment in Self.moments {
      let record = try store.compute("old \(moment)", ["x": "1 \(moment)", "y": "2 \(moment)"], directory: true)
      let run = try PretendedRun(store, "r")
      try collect(place, at: moment, shard("1 \(moment)")) {
        try store.gate.enter()
        defer { store.gate.leave() }
        #expect(try store.holds(record.answer.outputs[0]))
        run.rely(on: record.key)
        try run.directory.flush()
      }
      #expect(try store.holds(record.answer.outputs[0]))
      try run.end()
    }
    #expect(try Checkup(store).run().isClean)
  }

  @Test("a run that publishes bytes that are there already has them afterwards")
  func adopting() throws {
    let place = TemporaryStore()
    let store = try place.open()
    for moment in Self.moments {
      try store.compute("old \(moment)", ["x": "1 \(moment)", "y": "2 \(moment)"], directory: true)
      let run = try PretendedRun(store, "r")
      let parts: JSONValue = ["name": .string("new \(moment)"), "inputs": .object(JSONObject())]
      let key = Digest(hashing: CanonicalJSON.bytes(parts))
      run.rely(on: key)
      try run.directory.flush()
      try collect(place, at: moment, shard("1 \(moment)")) {
        try store.gate.enter()
        defer { store.gate.leave() }
        try store.compute("new \(moment)", ["x": "1 \(moment)", "z": "3"], directory: true)
      }
      let record = try #require(try store.result(key))
      #expect(try store.holds(record.answer.outputs[0]))
      #expect(try !store.hasObject(Digest(hashing: "2 \(moment)")))
      try run.end()
    }
  }

  @Test("a run that begins and ends while the collector works keeps what it relied on")
  func shortRun() throws {
    let place = TemporaryStore()
    let store = try place.open()
    for moment in Self.moments {
      let record = try store.compute("old \(moment)", ["out": "1 \(moment)"])
      try collect(place, at: moment, shard("1 \(moment)")) {
        let run = try PretendedRun(store, "r", [("old", record.key, [], [])])
        try store.gate.enter()
        #expect(try store.holds(record.answer.outputs[0]))
        try store.show(record.answer.outputs[0], recipe: "r", instance: "old")
        store.gate.leave()
        try run.end()
      }
      #expect(try store.holds(record.answer.outputs[0]))
    }
  }

  @Test("a run that ends while the collector works keeps what its views show")
  func endingRun() throws {
    let place = TemporaryStore()
    let store = try place.open()
    for moment in Self.moments {
      let record = try store.compute("old \(moment)", ["out": "1 \(moment)"])
      let run = try PretendedRun(store, "r", [("old", record.key, [], [])])
      try collect(place, at: moment, shard("1 \(moment)")) {
        try store.show(record.answer.outputs[0], recipe: "r", instance: "old")
        try run.end()
      }
      #expect(try store.holds(record.answer.outputs[0]))
    }
  }

  @Test("a pin that was set while the collector works holds")
  func pinning() throws {
    let place = TemporaryStore()
    let store = try place.open()
    for moment in Self.moments {
      let record = try store.compute("old \(moment)", ["out": "1 \(moment)"])
      try collect(place, at: moment, shard("1 \(moment)")) {
        try store.gate.enter()
        defer { store.gate.leave() }
        #expect(try store.holds(record.answer.outputs[0]))
        try store.keep(
          Pin(name: moment, subject: .outputs(record.answer.outputs, recipe: "r", instance: "old", key: record.key), created: 1))
      }
      #expect(try store.holds(record.answer.outputs[0]))
    }
  }

  @Test("another outcome that answers from now on does not take away the one a live run goes by")
  func otherAnswer() throws {
    let place = TemporaryStore()
    let store = try place.open()
    for moment in Self.moments {
      let first = try store.keep(try place.write("1", "first \(moment)"), key: Digest(hashing: "k \(moment)")).record.answer.outputs[0]
      let run = try PretendedRun(store, "r", [("k", Digest(hashing: "k \(moment)"), [], [])])
      try collect(place, at: moment, shard("first \(moment)")) {
        try store.gate.enter()
        defer { store.gate.leave() }
        let second = try store.keep(try place.write("2", "second \(moment)"), key: Digest(hashing: "k \(moment)"), .becomesCurrent)
        #expect(second.novelty == .different)
      }
      #expect(try store.holds(first))
      try run.end()
    }
  }

  @Test("who comes while the collector removes waits, and then sees what is gone")
  func waiting() throws {
    let place = TemporaryStore()
    let store = try place.open()
    let record = try store.compute("old", ["out": "1"])
    let run = try PretendedRun(store, "r")
    let saw = Answer()
    let once = Once {
      Thread.detachNewThread {
        saw.set(
          try? store.gate.inside { () throws(StoreError) in
            run.rely(on: record.key)
            try run.directory.flush()
            return try store.holds(record.answer.outputs[0])
          })
      }
    }
    let collector = try place.open(
      FileSystem(fault: { operation, path in
        if operation == .remove, path.contains("/objects/") { once.run() }
        return nil
      }))
    #expect(try Collection(all: collector).run().objects == 2)
    #expect(saw.wait() == false)
  }

  @Test("a run directory that is being begun is never removed, nor one that has no journal yet")
  func beginning() throws {
    let place = TemporaryStore()
    let plain = try place.open()
    let steps = Steps()
    let writer = try place.open(
      FileSystem(fault: { operation, path in
        // Before the directory, the lock and the manifest are made; inside the gate a collection would have to wait.
        guard path.contains("/runs/"), operation == .write else { return nil }
        steps.next { _ in _ = try? Collection(all: plain, keepRuns: 0).run() }
        return nil
      }))
    let run = try RunDirectory.begin(in: writer, manifest: [1])
    run.note("start", [])
    try run.flush()
    #expect(steps.count > 0)
    #expect(try plain.files.read("\(place.root)/runs/\(run.id)/journal.jsonl") != nil)
    try run.end()
    #expect(try Collection(all: plain, keepRuns: 0).run().runs == [run.id])
  }

  @Test("a busy run does not keep the collector out for ever, nor the collector a run that stays inside")
  func fairness() throws {
    let place = TemporaryStore()
    let store = try place.open()
    try store.gate.enter()
    try store.compute("old", ["out": "1"])
    var rules = Collection.Rules()
    rules.olderThanSeconds = 0
    let impatient = Collection(try place.open(), rules, now: wallClock() + 1_000_000_000, waitSeconds: 0.01)
    #expect(throws: StoreError.self) { try impatient.run() }
    // Whoever comes meanwhile is let in.
    try store.gate.enter()
    store.gate.leave()
    store.gate.leave()
    #expect(try impatient.run().objects == 2)
  }
}

/// Something that is done at the first of many occasions, and what became of it.
final class Once: @unchecked Sendable {
  private let lock = NSLock()
  private var body: (@Sendable () throws -> Void)?
  private var failure: (any Error)?

  init(_ body: @escaping @Sendable () throws -> Void) { self.body = body }

  func run() {
    let body = lock.withLock {
      defer { self.body = nil }
      return self.body
    }
    do { try body?() } catch { lock.withLock { failure = error } }
  }

  func check() throws {
    try #require(lock.withLock { body == nil }, "the collector never came to this place")
    if let failure { throw failure }
  }
}

/// An answer from another thread.
final class Answer: @unchecked Sendable {
  private let condition = NSCondition()
  private var value: Bool??

  func set(_ value: Bool?) {
    condition.withLock {
      self.value = .some(value)
      condition.broadcast()
    }
  }

  func wait() -> Bool? {
    condition.withLock {
      while value == nil { condition.wait() }
      return value ?? nil
    }
  }
}
