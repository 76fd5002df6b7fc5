import Artifacts
import Foundation
import Glibc
import Hashing
import JSONValues
import Testing

/// A store in a directory of its own, which goes when the test is over.
final class TemporaryStore: Sendable {
  let root = FileManager.default.temporaryDirectory.path + "/heirloom-store-" + UUID().uuidString
  deinit { try? FileSystem.posix.remove(root) }

  func open(_ files: FileSystem = .posix) throws -> Store { try Store.open(root, files: files) }

  func write(_ path: String, _ text: String) throws -> String {
    let full = "\(root)/work/\(path)"
    try FileManager.default.createDirectory(atPath: (full as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: full))
    return full
  }
}

extension Store {
  /// Stores a file as the only output of a key.
  func keep(_ path: String, key: Digest, _ answering: ResultRecord.Answering = .keepsFirst, kind: OutputSurvey.Kind = .file) throws
    -> Publication
  {
    var pending = PendingWrites()
    let survey = try OutputSurvey(path, expecting: kind, files: files)
    let intake = try examine(path, as: survey, name: "out", type: "file")
    try take(intake, &pending)
    let outcome = ResultOutcome(outputs: [intake.output], recipe: "r", instance: "a\tb", run: "1", finished: 0, seconds: 2)
    return try publish(key: key, stage: "say", parts: ["text": "x"], outcome: outcome, answering, &pending)
  }
}

@Suite("Store")
struct StoreTests {
  private let key = Digest(hashing: "key")

  @Test("run ids sort by time and no two are alike")
  func runIDs() {
    #expect(RunDirectory.newID(now: 1_763_720_130_123_000_000).hasPrefix("20251121T101530.123Z-"))
    #expect(RunDirectory.newID() != RunDirectory.newID())
  }

  @Test("a file enters by rename, read-only, under its SHA-256, and reads back")
  func objects() throws {
    let place = TemporaryStore()
    let store = try place.open()
    let path = try place.write("out", "hello\n")
    let inode = try #require(try store.files.status(path)).inode
    _ = try store.keep(path, key: key)
    let object = "\(place.root)/objects/58/91b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
    #expect(try #require(try store.files.status(object)).inode == inode)
    #expect(try store.files.read(object) == Array("hello\n".utf8))
    #expect((try FileManager.default.attributesOfItem(atPath: object)[.posixPermissions] as? Int) == 0o444)
    let summary = try #require(try store.results.summary(key))
    #expect(summary.instance == "a\tb" && summary.seconds == 2 && summary.outputs[0].size == 6)
  }

  @Test("a file with a second name is copied, for it could be changed through that name")
  func hardLinks() throws {
    let place = TemporaryStore()
    let store = try place.open()
    let path = try place.write("out", "hello\n")
    #expect(link(path, path + "2") == 0)
    let output = try store.keep(path, key: key).record.answer.outputs[0]
    try Data("other\n".utf8).write(to: URL(fileURLWithPath: path + "2"))
    #expect(try store.object(output.digest) == Array("hello\n".utf8))
  }

  @Test("a directory is stored as a listing and handed out as a tree of relative links")
  func trees() throws {
    let place = TemporaryStore()
    let store = try place.open()
    _ = try place.write("out/a/b", "x")
    _ = try place.write("out/c", "y")
    let output = try store.keep("\(place.root)/work/out", key: key, kind: .directory).record.answer.outputs[0]
    #expect(output.size == 2 && output.isDirectory)
    let tree = try #require(try store.path(of: output))
    #expect(try store.files.read(tree + "/a/b") == Array("x".utf8))
    #expect(store.files.readLink(tree + "/c")?.hasPrefix("../../objects/") == true)
    let listing = try #require(try store.listing(output.digest))
    #expect(TreeListing(bytes: listing.bytes) == listing)
    #expect(try store.holds(output))
    try store.files.remove(store.objectPath(listing.files[0].digest))
    #expect(try !store.holds(output))
  }

  @Test(
    "a listing that leads out of its directory is none",
    arguments: ["../x", "/x", "a/../../x", "a//b", "", "a/./b"])
  func hostileListing(path: String) {
    let digest = Digest(hashing: "").text
    let text = "{\"files\":[{\"digest\":\"\(digest)\",\"path\":\"\(path)\",\"size\":0}],\"format\":\"heirloom tree 1\"}"
    #expect(TreeListing(bytes: Array(text.utf8)) == nil)
  }

  @Test("two different outcomes are both kept; the first answers until another is made current")
  func outcomes() throws {
    let place = TemporaryStore()
    let store = try place.open()
    let first = try store.keep(try place.write("1", "a"), key: key).record.answer
    #expect(try store.keep(try place.write("2", "b"), key: key).novelty == .different)
    #expect(try store.result(key)?.answer.outputs == first.outputs)
    #expect(try store.keep(try place.write("3", "a"), key: key).novelty == .same)
    #expect(try store.keep(try place.write("4", "b"), key: key, .becomesCurrent).novelty == .earlier)
    let record = try #require(try store.result(key))
    #expect(record.outcomes.count == 2 && record.answer.outputs != first.outputs)
    #expect(try place.open().results.summary(key)?.outputs == record.answer.outputs)
  }

  @Test("the index of results is made again when it is lost, and never believed when it is stale")
  func index() throws {
    let place = TemporaryStore()
    let store = try place.open()
    _ = try store.keep(try place.write("1", "a"), key: key)
    try store.files.remove(place.root + "/index/results")
    let reopened = try place.open()
    #expect(try reopened.results.keys(ofStage: "say") == [key])
    reopened.results.tidy()
    let again = try place.open()
    #expect(again.results.hint(key) == nil)
    #expect(try again.results.summary(key)?.outputs[0].size == 1)
    try store.files.remove(store.resultPath(key))
    #expect(try place.open().results.summary(key) == nil)
  }

  @Test("a lock is held by one, and says by whom")
  func locks() throws {
    let place = TemporaryStore()
    let store = try place.open()
    guard case .held(let lock) = try store.lock(key, owner: LockOwner(run: "run", instance: "a")) else {
      Issue.record("the lock was free")
      return
    }
    guard case .busy(let owner) = try store.lock(key, owner: LockOwner(run: "other", instance: "b")) else {
      Issue.record("the lock was taken twice")
      return
    }
    #expect(owner?.run == "run" && owner?.runner.standing == .alive)
    lock.release()
    guard case .held = try store.lock(key, owner: LockOwner(run: "other", instance: "b")) else {
      Issue.record("the lock was not given back")
      return
    }
  }

  @Test(
    "a fault at any step of storing leaves no result, and the store as good as before",
    arguments: FileSystem.Operation.allCases.filter { ![.makeDirectory, .remove, .list, .status, .link, .read].contains($0) })
  func faults(operation: FileSystem.Operation) throws {
    let place = TemporaryStore()
    _ = try place.open()
    for skipped in 0..<12 {
      let counter = Counter(skipped)
      let broken = FileSystem { $0 == operation && $1.hasPrefix(place.root) && counter.next() < 0 ? ENOSPC : nil }
      let key = Digest(hashing: "key \(skipped)")
      let path = try place.write("out", "text \(skipped)")
      do {
        _ = try Store(reading: place.root, files: broken).keep(path, key: key)
      } catch let error as StoreError {
        #expect(error.code == ENOSPC)
      }
      let after = try place.open()
      let summary = try after.results.summary(key)
      if let summary { #expect(try after.holds(summary.outputs[0])) }
      _ = try after.keep(try place.write("again", "text \(skipped)"), key: key)
      #expect(try after.results.summary(key)?.outputs[0].digest == Digest(hashing: "text \(skipped)"))
    }
  }

  @Test("names become one component of a path and back")
  func names() {
    for name in ["sft[2e-5]", "a/b", "..", "tab\there", "100 %", "é"] {
      let file = Store.fileName(name)
      #expect(!file.contains("/") && file != "..")
      if name != ".." { #expect(Store.name(ofFile: file) == name) }
    }
  }
}

/// Counts down from a start; below zero from then on.
private final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var left: Int
  init(_ start: Int) { left = start }
  func next() -> Int {
    lock.withLock {
      left -= 1
      return left
    }
  }
}
