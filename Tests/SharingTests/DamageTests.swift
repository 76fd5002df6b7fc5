import Artifacts
import Foundation
import Hashing
import JSONValues
import Sharing
import Testing

/// Everything that is read from others, with bytes changed, cut out, doubled and made of extremes: an error or a value, never a crash.
@Suite("Damaged documents") struct DamageTests {
  private struct Damage: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 11 | state << 53
    }

    mutating func change(_ bytes: [UInt8]) -> [UInt8] {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...3, using: &self) where !changed.isEmpty {
        let place = Int.random(in: 0..<changed.count, using: &self)
        switch Int.random(in: 0..<5, using: &self) {
        case 0: changed[place] = UInt8.random(in: .min ... .max, using: &self)
        case 1: changed.removeSubrange(place..<min(changed.count, place + Int.random(in: 1...40, using: &self)))
        case 2: changed.insert(contentsOf: changed[place..<min(changed.count, place + 60)], at: place)
        case 3: changed.insert(contentsOf: "-9223372036854775808".utf8, at: place)
        default: changed.insert(contentsOf: "1e999".utf8, at: place)
        }
      }
      return changed
    }
  }

  private func damage(_ bytes: [UInt8], _ feed: ([UInt8]) throws -> Void) {
    var damage = Damage(state: 11)
    for length in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 40)) { try? feed(Array(bytes[..<length])) }
    for _ in 0..<1500 { try? feed(damage.change(bytes)) }
  }

  private let lock: RecipeLock = {
    let parts: JSONValue = ["stage": "s", "parameters": ["rate": 0.5]]
    let output = RecipeLock.Output(
      name: "o", type: "scores", digest: Digest(hashing: "o"), size: 3, isDirectory: false,
      metrics: JSONObject([("m", ["value": 0.5, "stderr": 0.1])]))
    return RecipeLock(
      recipe: "r", manifest: "r.yaml", engine: "0", numerics: "portable", parameters: JSONObject([("a", 1)]),
      files: [RecipeLock.File(path: "r.yaml", digest: Digest(hashing: "f"), size: 1)],
      contracts: [RecipeLock.Contract(stage: "s", version: 1, digest: Digest(hashing: "c"), path: nil)],
      sources: [RecipeLock.Source(origin: "d", digest: Digest(hashing: "d"), size: 2, isDirectory: true, instances: ["i"])],
      instances: [
        RecipeLock.Instance(
          name: "i", stage: "s", key: CanonicalJSON.digest(parts), parts: parts, outputs: [output], expected: ["o": Digest(hashing: "o")],
          kernel: "k")
      ])
  }()

  @Test("locks") func locks() throws {
    #expect(try RecipeLock(reading: lock.bytes, at: "l") == lock)
    damage(lock.bytes) { bytes in
      let read = try RecipeLock(reading: bytes, at: "l")
      #expect(try RecipeLock(reading: read.bytes, at: "l") == read)
      _ = read.instances.map { $0.summary(recipe: read.recipe) }
    }
  }

  @Test("documents of recipes") func documents() throws {
    let bytes = RawRecipe().document
    damage(bytes) { bytes in
      let read = try RecipeDocument(reading: bytes)
      for entry in read.entries { #expect(!entry.path.text.contains("..") || !entry.path.text.split(separator: "/").contains("..")) }
      #expect(read.size >= 0)
    }
  }

  @Test("envelopes, statements and keys") func envelopes() throws {
    let statement = Statement(
      subjects: [Statement.Subject(name: "a", digest: Digest(hashing: "a"))], predicateType: "urn:t", predicate: ["n": 1])
    let key = SigningKey()
    let envelope = try Envelope(statement, signedBy: key).bytes
    damage(envelope) { bytes in
      let read = try Envelope(reading: bytes, at: "e").statement(verifiedBy: key.verifyingKey, at: "e")
      #expect(read == statement, "what passes is what was signed")
    }
    damage(statement.bytes) { _ = try Statement(reading: $0, at: "s") }
    damage(Array(key.verifyingKey.pem.utf8)) { _ = try VerifyingKey(pem: $0, at: "k") }
  }

  @Test("whole archives: what is taken in is what the document lists") func archives() throws {
    let scratch = try ScratchDirectory()
    var damage = Damage(state: 3)
    let archive = RawRecipe().archive()
    for count in 0..<150 {
      try scratch.write("in.tar", damage.change(archive))
      let out = "\(scratch.path)/out-\(count)"
      let taken = try? RecipeImport(.archive(scratch.path + "/in.tar"), into: out, storePath: scratch.path + "/store").run()
      guard let taken else {
        #expect(try !FileSystem.posix.exists(out))
        continue
      }
      for entry in taken.document.entries where entry.path.text.hasPrefix(RecipeDocument.recipePrefix) {
        #expect(try FileSystem.posix.digest(ofFile: out + "/" + entry.path.text.dropFirst(7)).digest == entry.digest)
      }
    }
    #expect(scratch.files().allSatisfy { $0 == "in.tar" || $0.hasPrefix("out-") })
  }
}
