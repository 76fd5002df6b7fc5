import Artifacts
import Foundation
import Glibc
import Hashing
import JSONValues
import Testing

extension Collection {
  /// Everything that nothing needs goes, however young.
  init(all store: Store, keepRuns: Int = 1, now: Int = wallClock() + 86_400_000_000_000) {
    var rules = Rules()
    rules.keepRuns = keepRuns
    rules.olderThanSeconds = 0
    self.init(store, rules, now: now, waitSeconds: 5)
  }
}

/// A run of a test: what its directory says, without anything having been executed.
struct PretendedRun {
  let directory: RunDirectory
  let store: Store

  /// `instances`: name, key, names of those whose outputs it takes, outputs that are not kept.
  init(_ store: Store, _ recipe: String, _ instances: [(String, Digest, needs: [String], passing: [String])] = []) throws {
    self.store = store
    directory = try RunDirectory.begin(in: store, manifest: [])
    try directory.write(
      plan: [
        "recipe": .string(recipe),
        "instances": .array(
          instances.map { name, _, needs, passing in
            [
              "instance": .string(name), "stage": "say", "needs": .array(needs.map(JSONValue.string)),
              "passing": .array(passing.map(JSONValue.string)),
            ]
          }),
      ])
    directory.note("start", [("recipe", .string(recipe))])
    for (name, key, _, _) in instances { rely(on: key, name) }
    try directory.flush()
  }

  func rely(on key: Digest, _ name: String = "x") {
    directory.note("judged", [("instance", .string(name)), ("action", "cached"), ("key", .string(key.text))])
  }

  func end() throws { try directory.end() }
}

@Suite("gc")
struct CollectionTests {
  private func holds(_ store: Store, _ record: ResultRecord) throws -> Bool {
    try record.answer.outputs.allSatisfy { try store.holds($0) }
  }

  @Test("what views, pins, the last runs and live runs need stays; the rest goes, results stay")
  func roots() throws {
    let place = TemporaryStore()
    let store = try place.open()
    let viewed = try store.compute("viewed", ["x": "1", "y": "2"], directory: true)
    let pinned = try store.compute("pinned", ["out": "3"])
    let named = try store.compute("named", ["out": "4"])
    let older = try store.compute("older", ["out": "5"])
    let last = try store.compute("last", ["out": "6"])
    let live = try store.compute("live", ["out": "7"])
    let nobodys = try store.compute("nobodys", ["x": "8", "y": "2"], directory: true)
    try store.show(viewed.answer.outputs[0], recipe: "r", instance: "viewed")
    _ = try store.path(of: nobodys.answer.outputs[0])
    try store.keep(
      Pin(name: "p", subject: .outputs(pinned.answer.outputs, recipe: "r", instance: "pinned", key: pinned.key), created: 1))
    let namedRun = try PretendedRun(store, "r", [("named", named.key, [], [])])
    try namedRun.end()
    try store.keep(Pin(name: "best", subject: .run(namedRun.directory.id), created: 1))
    let olderRun = try PretendedRun(store, "r", [("older", older.key, [], [])])
    try olderRun.end()
    let lastRun = try PretendedRun(store, "r", [("last", last.key, [], [])])
    try lastRun.end()
    let liveRun = try PretendedRun(store, "other", [("live", live.key, [], [])])

    var dry = Collection.Rules()
    dry.olderThanSeconds = 0
    dry.isDryRun = true
    let foreseen = try Collection(store, dry, now: wallClock() + 1_000_000_000).run()
    #expect(try holds(store, older) && holds(store, nobodys))
    let report = try Collection(all: store).run()
    #expect(report.bytes == foreseen.bytes && report.objects == foreseen.objects && report.runs == foreseen.runs)
    for record in [viewed, pinned, named, last, live] { #expect(try holds(store, record), "\(record.answer.instance)") }
    for record in [older, nobodys] { #expect(try !holds(store, record)) }
    #expect(try store.hasObject(Digest(hashing: "2")), "shared with what is needed")
    // An output, a listing, a file of it, two logs, and the log of what only a view needs.
    #expect(report.objects == 6 && report.trees == 1 && report.runs == [olderRun.directory.id])
    #expect(try store.result(older.key) != nil)
    #expect(try store.object(try #require(last.answer.log)) != nil)
    #expect(try Checkup(store).run().isClean)
    #expect(try store.files.list(place.root + "/incoming") == [])
    try liveRun.end()
    #expect(try Collection(all: store, keepRuns: 0).run().runs.count == 2)
    #expect(try !holds(store, last) && holds(store, named) && holds(store, viewed) && holds(store, pinned))
    #expect(try store.removePin(named: "p") && store.removePin(named: "best"))
    _ = try Collection(all: store, keepRuns: 0).run()
    #expect(try !holds(store, named) && holds(store, viewed) && !holds(store, pinned))
  }

  @Test("what is young stays")
  func young() throws {
    let place = TemporaryStore()
    let store = try place.open()
    let record = try store.compute("one", ["out": "1"])
    let report = try Collection(store).run()
    #expect(report.objects == 0 && report.youngObjects == 2)
    #expect(try Collection(store, now: wallClock() + 6 * 86_400_000_000_000).run().objects == 0)
    #expect(try holds(store, record))
    #expect(try Collection(store, now: wallClock() + 8 * 86_400_000_000_000).run().objects == 2)
  }

  @Test("outputs that are not kept go when all who take them are done, and not before")
  func passing() throws {
    let place = TemporaryStore()
    let store = try place.open()
    let source = try store.compute("source", ["kept": "1", "big": "2"])
    let user = try store.compute("user", ["out": "3"])
    let waiting = Digest(hashing: "waiting")
    let unfinished = try PretendedRun(
      store, "r", [("source", source.key, [], ["big"]), ("user", user.key, ["source"], []), ("next", waiting, ["source"], [])])
    unfinished.directory.note("started", [("instance", "next"), ("key", .string(waiting.text))])
    try unfinished.end()
    _ = try Collection(all: store).run()
    #expect(try holds(store, source))
    try PretendedRun(store, "r", [("source", source.key, [], ["big"]), ("user", user.key, ["source"], [])]).end()
    _ = try Collection(all: store).run()
    #expect(try store.hasObject(Digest(hashing: "1")) && !store.hasObject(Digest(hashing: "2")) && holds(store, user))
  }

  @Test("freeing what was passing through takes nothing that another run needs")
  func freeing() throws {
    let place = TemporaryStore()
    let store = try place.open()
    let big = try store.compute("big", ["x": "1", "y": "2"], directory: true)
    let other = try store.compute("other", ["out": "2"])
    try PretendedRun(store, "r", [("big", big.key, [], ["all"])]).end()
    let live = try PretendedRun(store, "elsewhere", [("other", other.key, [], [])])
    #expect(try Collection(store).free(big.answer.outputs))
    #expect(try !store.hasObject(Digest(hashing: "1")) && holds(store, other))
    try store.compute("big", ["x": "1", "y": "2"], directory: true)
    live.rely(on: big.key)
    try live.directory.flush()
    #expect(try Collection(store).free(big.answer.outputs))
    #expect(try holds(store, big))
  }

  @Test("a checkpoint of a kept run stays; work directories of nobody go, but not under a lock")
  func workDirectories() throws {
    let place = TemporaryStore()
    let store = try place.open()
    let (kept, forgotten, locked) = (Digest(hashing: "kept"), Digest(hashing: "forgotten"), Digest(hashing: "locked"))
    for key in [kept, forgotten, locked] { _ = try place.write("\(key.hex)/checkpoint/state", "step 7") }
    try PretendedRun(store, "r", [("kept", kept, [], [])]).end()
    guard case .held(let lock) = try store.lock(locked, owner: LockOwner(run: "1", instance: "x")) else { return #expect(Bool(false)) }
    let report = try Collection(all: store).run()
    #expect(report.workDirectories == 1 && report.bytes == 6)
    #expect(try store.files.list(place.root + "/work") == [kept.hex, locked.hex].sorted())
    lock.release()
    #expect(try Collection(all: store, keepRuns: 0).run().workDirectories == 2)
  }

  @Test("a run without a runner stays while jobs of it may come, and no longer", arguments: ["", "end.json", "withdrawn", "result", "old"])
  func jobs(_ word: String) throws {
    let place = TemporaryStore()
    let store = try place.open()
    let input = try store.compute("input", ["out": "1"])
    let run = try PretendedRun(store, "r", [("input", input.key, [], [])])
    let output = CanonicalJSON.digest(["name": "output", "inputs": .object(JSONObject())])
    let batch = "heirloom-\(run.directory.id)-1"
    let jobs = "\(place.root)/runs/\(run.directory.id)/jobs"
    let submitted = wallClock() / 1_000_000_000 - (word == "old" ? 61 : 59) * 86_400
    let members: JSONValue = [["index": 0, "instance": "x"], ["index": 3, "instance": "y", "key": .string(output.text)]]
    try store.files.makeDirectory(jobs)
    try store.files.write(
      JSONValue.object(JSONObject([("submitted", .integer(submitted)), ("jobs", members)])).encodedBytes(), to: "\(jobs)/\(batch).json")
    try store.files.write([], to: "\(jobs)/\(batch)-0.end.json")
    switch word {
    case "result": _ = try store.compute("output", ["out": "2"])
    case "end.json", "withdrawn": try store.files.write([], to: "\(jobs)/\(batch)-3.\(word)")
    default: break
    }
    try run.end()
    _ = try Collection(all: store, keepRuns: 0, now: wallClock() + 1_000_000_000).run()
    #expect(try holds(store, input) == (word == ""))
    #expect(try store.files.exists(jobs) == (word == ""))
  }

  @Test("leftovers of the dead go, those of the living stay")
  func temporaries() throws {
    let place = TemporaryStore()
    let store = try place.open()
    let alive = "\(place.root)/incoming/a.tmp-\(getpid())-1"
    try store.files.write([1], to: alive)
    try store.files.write([1], to: "\(place.root)/incoming/b.tmp-999999999-1")
    let hour = 3_600_000_000_000
    #expect(try Collection(store, now: wallClock() + hour).run().temporaries == 1)
    #expect(try store.files.exists(alive))
    #expect(try Collection(store, now: wallClock() + 25 * hour).run().temporaries == 1)
  }

  @Test("a collection that cannot read a result, a listing or a pin removes nothing", arguments: ["result", "listing", "pin"])
  func unreadable(what: String) throws {
    let place = TemporaryStore()
    let store = try place.open()
    let record = try store.compute("one", ["x": "1"], directory: true)
    let other = try store.compute("other", ["out": "2"])
    try PretendedRun(store, "r", [("one", record.key, [], [])]).end()
    try store.keep(Pin(name: "p", subject: .run("none"), created: 1))
    switch what {
    case "result": try store.files.write([], to: store.resultPath(record.key))
    case "listing": try store.spoil(store.objectPath(record.answer.outputs[0].digest), "?")
    default: try store.files.write([], to: place.root + "/pins/p.json")
    }
    #expect(throws: StoreError.self) { try Collection(all: store).run() }
    #expect(try holds(store, other))
  }

  @Test("two collections at once: the second says so")
  func twice() throws {
    let place = TemporaryStore()
    let plain = try place.open()
    try plain.compute("one", ["out": "1"])
    let steps = Steps()
    let store = try place.open(
      FileSystem(fault: { operation, path in
        guard operation == .remove else { return nil }
        steps.next { _ in #expect(throws: StoreError.self) { try Collection(all: plain).run() } }
        return nil
      }))
    #expect(try Collection(all: store).run().objects == 2)
    #expect(steps.count > 0)
  }
}
