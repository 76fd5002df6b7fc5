import Artifacts
import Foundation
import Glibc
import Hashing
import JSONValues
import Testing

extension Store {
  /// Stores texts as the outputs of a key made of them: a file each, or a directory for several under one name.
  @discardableResult
  func compute(
    _ name: String, _ texts: [String: String], directory: Bool = false, run: String = "1", recipe: String = "r"
  ) throws -> ResultRecord {
    let parts: JSONValue = ["name": .string(name), "inputs": .object(JSONObject())]
    return try compute(name, texts, directory: directory, run: run, recipe: recipe, parts: parts)
  }

  @discardableResult
  func compute(
    _ name: String, _ texts: [String: String], directory: Bool = false, run: String = "1", recipe: String = "r", parts: JSONValue
  ) throws -> ResultRecord {
    let key = Digest(hashing: CanonicalJSON.bytes(parts))
    let place = "\(root)/work/\(key.hex)/out"
    for (file, text) in texts {
      let path = directory ? "\(place)/all/\(file)" : "\(place)/\(file)"
      try FileManager.default.createDirectory(atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
    var pending = PendingWrites()
    var intakes: [Intake] = []
    for output in directory ? ["all"] : texts.keys.sorted() {
      let survey = try OutputSurvey("\(place)/\(output)", expecting: directory ? .directory : .file, files: files)
      intakes.append(try examine("\(place)/\(output)", as: survey, name: output, type: directory ? "directory" : "file"))
    }
    for intake in intakes { try take(intake, &pending) }
    let log = try put(Array("log of \(name)\n".utf8), &pending)
    let outcome = ResultOutcome(
      outputs: intakes.map(\.output), recipe: recipe, instance: name, run: run, finished: 0, seconds: 2, log: log)
    let record = try publish(key: key, stage: "say", parts: parts, outcome: outcome, .keepsFirst, &pending).record
    try files.remove("\(root)/work/\(key.hex)")
    return record
  }

  /// Writes over a file of the store as a broken disk would, times and all else aside.
  func spoil(_ path: String, _ text: String) throws {
    #expect(chmod(path, 0o644) == 0)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    #expect(chmod(path, 0o444) == 0)
  }
}

@Suite("fsck")
struct CheckupTests {
  @Test("a sound store is clean; what is collected, unfinished or left lying is no damage")
  func clean() throws {
    let place = TemporaryStore()
    let store = try place.open()
    let one = try store.compute("one", ["a": "1", "b": "22"])
    let tree = try store.compute("tree", ["x": "3", "deep/y": "4"], directory: true)
    _ = try store.path(of: tree.answer.outputs[0])
    try store.show(one.answer.outputs[0], recipe: "r", instance: "one")
    let fresh = try Checkup(store).run()
    #expect(fresh.damage == [] && fresh.exitStatus == 0)
    // Two files, two in the tree, its listing, two logs.
    #expect(fresh.objects == 7 && fresh.results == 2 && fresh.trees == 1 && fresh.views == 1)
    #expect(fresh.orphans == 0 && fresh.resultsWithoutBytes == 0 && fresh.leftovers == [])
    #expect(fresh.lines.last == "no damage")

    try store.files.remove(store.objectPath(one.answer.outputs[0].digest))
    var pending = PendingWrites()
    _ = try store.put(Array("nobody's".utf8), &pending)
    _ = try place.write("\(one.key.hex)/log.txt", "")
    let later = try Checkup(store, now: wallClock() + 86_400_000_000_000).run()
    #expect(later.isClean && later.resultsWithoutBytes == 1 && later.orphans == 1 && later.orphanBytes == 8)
    #expect(later.danglingViews == 1 && later.leftovers == ["work/\(one.key.hex)"])
  }

  @Test("a flipped bit is found; what hangs on it is named; repair sets it aside and asks for it again")
  func bitRot() throws {
    let place = TemporaryStore()
    let store = try place.open()
    let tree = try store.compute("tree", ["x": "3", "y": "4"], directory: true)
    let user = try store.compute(
      "user", ["out": "5"],
      parts: ["name": "user", "inputs": ["data": [.string(tree.answer.outputs[0].digest.text)]]])
    try store.compute("other", ["out": "6"])
    let spoiled = Digest(hashing: "4")
    try store.spoil(store.objectPath(spoiled), "5")

    let report = try Checkup(store).run()
    #expect(report.exitStatus == 3)
    let damage = try #require(report.damage.first)
    #expect(report.damage.count == 1 && damage.kind == .object && damage.digest == spoiled && !damage.isMended)
    #expect(damage.message == "its content is \(Digest(hashing: "5"))")
    #expect(damage.holders.map(\.text) == ["tree.all of r"] && damage.users.map(\.instance) == ["user"])
    #expect(damage.users[0].key == user.key)
    #expect(try store.hasObject(spoiled), "only repair moves anything")

    let repaired = try Checkup(store).run(.repair)
    #expect(repaired.exitStatus == 0 && repaired.damage.allSatisfy(\.isMended))
    #expect(try !store.hasObject(spoiled))
    #expect(try store.lostOutputs() == [tree.answer.outputs[0].digest])
    let after = try Checkup(store).run()
    #expect(after.isClean && after.resultsWithoutBytes == 1)
    #expect(try store.files.list(place.root + "/damaged")?.count == 2)
  }

  @Test("a damaged log costs no result")
  func log() throws {
    let place = TemporaryStore()
    let store = try place.open()
    let record = try store.compute("one", ["a": "1"])
    try store.spoil(store.objectPath(try #require(record.answer.log)), "!")
    let report = try Checkup(store).run(.repair)
    #expect(report.damage.map { $0.holders.map(\.text) } == [["one of r"]])
    #expect(try store.lostOutputs() == [] && store.holds(record.answer.outputs[0]))
  }

  struct Wrong: Sendable {
    let name: String
    let message: String
    let spoil: @Sendable (Store, ResultRecord) throws -> Void
  }

  static let wrongs = [
    Wrong(name: "torn", message: "this is no result") { try $0.files.write(Array("{\"format\"".utf8), to: $0.resultPath($1.key)) },
    Wrong(name: "of another key", message: "it is the result of \(Digest(hashing: "other"))") { store, record in
      let other = ResultRecord(key: Digest(hashing: "other"), stage: "say", parts: record.parts, outcome: record.answer)
      try store.files.write(other.json.encodedBytes(), to: store.resultPath(record.key))
    },
    Wrong(name: "with other parts", message: "its parts have the key \(Digest(hashing: CanonicalJSON.bytes(["name": "x"])))") {
      let other = ResultRecord(key: $1.key, stage: "say", parts: ["name": "x"], outcome: $1.answer)
      try $0.files.write(other.json.encodedBytes(), to: $0.resultPath($1.key))
    },
    Wrong(name: "with an output of another size", message: "output a: 1 bytes instead of 9") {
      var outcome = $1.answer
      let output = outcome.outputs[0]
      outcome.outputs[0] = StoredOutput(name: output.name, type: output.type, digest: output.digest, size: 9, isDirectory: false)
      let other = ResultRecord(key: $1.key, stage: "say", parts: $1.parts, outcome: outcome)
      try $0.files.write(other.json.encodedBytes(), to: $0.resultPath($1.key))
    },
    Wrong(name: "with a file for a directory", message: "output a: \(Digest(hashing: "1")) lists no directory") {
      var outcome = $1.answer
      let output = outcome.outputs[0]
      outcome.outputs[0] = StoredOutput(name: output.name, type: "directory", digest: output.digest, size: 1, isDirectory: true)
      let other = ResultRecord(key: $1.key, stage: "say", parts: $1.parts, outcome: outcome)
      try $0.files.write(other.json.encodedBytes(), to: $0.resultPath($1.key))
    },
  ]

  @Test("a result that does not say what its name says is damage, and is no result after repair", arguments: wrongs.indices)
  func results(place number: Int) throws {
    let wrong = Self.wrongs[number]
    let place = TemporaryStore()
    let store = try place.open()
    let record = try store.compute("one", ["a": "1"])
    try wrong.spoil(store, record)
    let report = try Checkup(store).run(.repair)
    #expect(report.damage.map(\.message) == [wrong.message], "\(wrong.name)")
    #expect(report.damage.map(\.kind) == [.result] && report.exitStatus == 0)
    #expect(try place.open().results.summary(record.key) == nil)
    #expect(try Checkup(place.open()).run().isClean)
  }

  @Test("an index that lies about a result is made anew; one that is out of date is not believed anyway")
  func index() throws {
    let place = TemporaryStore()
    let store = try place.open()
    let record = try store.compute("one", ["a": "1"])
    let path = place.root + "/index/results"
    let text = String(decoding: try #require(try store.files.read(path)), as: UTF8.self)
    let other = Digest(hashing: "2").hex
    try store.files.write(Array(text.replacingOccurrences(of: Digest(hashing: "1").hex, with: other).utf8), to: path)
    #expect(try place.open().results.summary(record.key)?.outputs[0].digest.hex == other)
    #expect(try Checkup(place.open()).run(.repair).damage.map(\.kind) == [.index])
    #expect(try place.open().results.summary(record.key)?.outputs == record.answer.outputs)
    try store.files.append(Array(text.replacingOccurrences(of: "\t\(text.split(separator: "\t")[1])\t", with: "\t1\t").utf8), to: path)
    #expect(try Checkup(place.open()).run().isClean)
  }

  @Test("a tree with a link to elsewhere, one link too few or too many is made anew", arguments: ["elsewhere", "fewer", "more"])
  func trees(how: String) throws {
    let place = TemporaryStore()
    let store = try place.open()
    let output = try store.compute("tree", ["x": "3", "deep/y": "4"], directory: true).answer.outputs[0]
    let tree = try #require(try store.path(of: output))
    switch how {
    case "elsewhere":
      try store.files.remove(tree + "/deep/y")
      try store.files.symbolicLink(tree + "/deep/y", to: "/etc/passwd")
    case "fewer": try store.files.remove(tree + "/deep/y")
    default: try store.files.write([], to: tree + "/more")
    }
    #expect(try Checkup(store).run(.repair).damage.map(\.kind) == [.tree])
    #expect(try store.files.read(tree + "/deep/y") == Array("4".utf8))
    #expect(try Checkup(store).run().isClean)
  }

  @Test("directories that are missing are made, and an object that is no file is set aside")
  func directories() throws {
    let place = TemporaryStore()
    let store = try place.open()
    try store.files.remove(place.root + "/objects/0a")
    try store.files.remove(place.root + "/incoming")
    try store.files.makeDirectory(store.objectPath(Digest(hashing: "d")))
    let report = try Checkup(store).run(.repair)
    #expect(report.damage.map(\.path).sorted().prefix(2) == ["incoming", "objects/0a"] && report.damage.count == 3)
    #expect(try Checkup(store).run().isClean)
  }

  @Test("beside a run that publishes, and beside a collection, nothing false is said")
  func besideOthers() throws {
    let place = TemporaryStore()
    let plain = try place.open()
    let gone = try plain.compute("gone", ["g": "collected in between"])
    let steps = Steps()
    // Every look at an object lets one more thing happen beside.
    let store = try place.open(
      FileSystem(fault: { operation, path in
        guard operation == .read, path.contains("/objects/") else { return nil }
        steps.next { number in
          try? plain.compute("new \(number)", ["out": "text \(number)"])
          if number == 0 { try? plain.files.remove(plain.objectPath(gone.answer.outputs[0].digest)) }
        }
        return nil
      }))
    for _ in 0..<3 { #expect(try Checkup(store, jobs: 1).run().damage == []) }
    #expect(steps.count > 3)
  }
}

/// Counts, and does something once a step without stepping into itself.
final class Steps: @unchecked Sendable {
  private let lock = NSLock()
  private var isInside = false
  private var number = 0

  var count: Int { lock.withLock { number } }

  func next(_ body: (Int) -> Void) {
    let step: Int? = lock.withLock {
      if isInside { return nil }
      isInside = true
      defer { number += 1 }
      return number
    }
    guard let step else { return }
    body(step)
    lock.withLock { isInside = false }
  }
}
