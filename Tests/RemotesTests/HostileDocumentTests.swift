import Artifacts
import Execution
import Hashing
import JSONValues
import Remotes
import Testing

/// What a remote may say to do harm, and what becomes of it: one message, and a store in which nothing of it is.
@Suite("Hostile remotes")
struct HostileDocumentTests {
  private func pulled(from remote: MemoryRemote, _ scratch: Scratch) async throws -> RemoteError? {
    let store = try scratch.store("there")
    let transfer = Transfer(remote, store, on: testThreads, patience: .none)
    let error = await #expect(throws: RemoteError.self) { try await onThreads { try await RunPull(transfer).pull(.init()) } }
    #expect(try StoreQueries(store.root).runs().isEmpty)
    for shard in try store.files.list(store.root + "/results") ?? [] {
      #expect(try store.files.list("\(store.root)/results/\(shard)") == [])
    }
    #expect(error.map { $0.message.allSatisfy { !$0.isNewline } } ?? false)
    return error
  }

  private func pushed(_ scratch: Scratch) async throws -> (SampleRun, MemoryRemote) {
    let (run, remote) = (try SampleRun(in: scratch.store("here")), MemoryRemote())
    let recorded = try StoreQueries(run.store.root).run(.latest)
    let transfer = Transfer(remote, run.store, on: testThreads, patience: .quick)
    _ = try await onThreads { try await RunPush(transfer).push(recorded, targets: []) }
    return (run, remote)
  }

  // MARK: - Results

  /// A change of the document of `scores`, and what is said of it behind its name.
  private static let results: [(change: @Sendable (String) -> String, says: String)] = [
    ({ $0.replacingOne(#""loss":1.5"#, #""loss":1.5"#) + "x" }, "is not JSON"),
    ({ $0.replacingOne("heirloom remote result 1", "heirloom remote result 9") }, "is not of the format 'heirloom remote result 1'"),
    ({ $0.replacingOne(#""version":1"#, #""version":2"#) }, "its parts have the key sha256:"),
    ({ $0.replacingOne(#""size":50"#, #""size":-50"#) }, "'size' is not a size"),
    ({ $0.replacingOne(#""size":50"#, #""size":9223372036854775807"#) }, "'size' is not a size"),
    ({ $0.replacingOne(#""size":50"#, #""size":5e1"#) }, "'size' is not a size"),
    ({ $0.replacingOne(#""name":"scores""#, #""name":"../../x""#) }, "'name' is not the name of an output or a type"),
    ({ $0.replacingOne(#""name":"scores""#, #""name":"a\nb""#) }, "'name' is not a name"),
    ({ $0.replacingOne(#""name":"scores""#, #""name":"other""#) }, "has other outputs than its stage"),
    ({ $0.replacingOne(#""type":"scores""#, #""type":"a:b\t""#) }, "'type' is not a name"),
    ({ $0.replacingOne(#""instance":"scores""#, #""instance":"\u001b[2J\n""#) }, "'instance' is not a name"),
    ({ $0.replacingOne(#""recipe":"sample""#, #""recipe":"""#) }, "'recipe' is not a name"),
    (
      { $0.replacingOne(#""stage":"test/scores"},"#, #""stage":"test/scores"},"#).replacingLast("test/scores", "test/other") },
      "its parts are of another stage"
    ),
    ({ $0.replacingOne(#""finished":1700000000.5"#, #""finished":1e999"#) }, ""),
  ]

  @Test("a result that is not what it should be is refused", arguments: results.indices)
  func aResultThatIsNotWhatItShouldBeIsRefused(place: Int) async throws {
    let scratch = try Scratch()
    let (run, remote) = try await pushed(scratch)
    let name = RemoteDocument.result(try run.key("scores"))
    let before = String(decoding: try #require(remote.seen.documents[name]), as: UTF8.self)
    let (change, says) = Self.results[place]
    let after = change(before)
    #expect(before != after)
    remote.change { $0.documents[name] = Array(after.utf8) }
    let message = try #require(try await pulled(from: remote, scratch)).message
    #expect(message.hasPrefix("memory: results/\(try run.key("scores").hex): \(says)"), "\(message)")
    #expect(message.hasSuffix("nothing of it was stored"))
  }

  @Test("a result under anothers key is refused")
  func aResultUnderAnothersKeyIsRefused() async throws {
    let scratch = try Scratch()
    let (run, remote) = try await pushed(scratch)
    let (one, other) = (RemoteDocument.result(try run.key("scores")), RemoteDocument.result(try run.key("data")))
    remote.change { $0.documents[one] = $0.documents[other] }
    #expect(try await pulled(from: remote, scratch)?.message.contains("is the result of another key") == true)
  }

  @Test("a result of other bytes than the tag says is refused")
  func aResultOfOtherBytesThanTheTagSaysIsRefused() async throws {
    let scratch = try Scratch()
    let (run, remote) = try await pushed(scratch)
    let name = RemoteDocument.result(try run.key("scores"))
    let digest = try run.output("scores").digest
    remote.change { state in
      let text = state.documents[name].map { String(decoding: $0, as: UTF8.self) } ?? ""
      state.documents[name] = Array(text.replacingOne(digest.text, Digest(hashing: [1]).text).utf8)
    }
    #expect(try await pulled(from: remote, scratch)?.message.contains("has other outputs of scores than the tag says") == true)
  }

  @Test("a document that does not end is refused")
  func aDocumentThatDoesNotEndIsRefused() async throws {
    let scratch = try Scratch()
    let (run, remote) = try await pushed(scratch)
    let name = RemoteDocument.result(try run.key("scores"))
    remote.change { $0.documents[name] = [UInt8](repeating: 0x20, count: (8 << 20) + 1) }
    #expect(try await pulled(from: remote, scratch)?.message.contains("is longer than 8388608 bytes") == true)
    let tag = try #require(RemoteDocument(.tags, "sample"))
    remote.change { $0.documents[tag] = [UInt8](repeating: 0x20, count: (32 << 20) + 1) }
    #expect(try await pulled(from: remote, scratch)?.message.contains("is longer than 33554432 bytes") == true)
  }

  // MARK: - Listings

  private static let leaves = "names a path that leaves it, or is not a listing"
  private static let strange = "is not written as listings are"

  private static let listings: [(paths: [String], empty: [String], says: String)] = [
    (["../../../etc/passwd"], [], leaves), (["/etc/passwd"], [], leaves), (["a/../b"], [], leaves), (["a//b"], [], leaves),
    (["./a"], [], leaves), ([""], [], leaves), (["a\u{0}b"], [], leaves), (["x"], ["../up"], leaves), (["x"], ["/up"], leaves),
    (["a", "a"], [], "names a path twice"), (["a", "a/b"], [], "names a path as a file and as a directory"),
    (["a/b"], ["a"], "names a path as a file and as a directory"), (["a"], ["a"], "names a path as a file and as a directory"),
    (["a"], ["b", "b"], "names a path twice"), (["new\nline"], [], "names a path that is too long or not printable"),
    (["\u{1b}[2J"], [], "names a path that is too long or not printable"),
    ([String(repeating: "x", count: 256)], [], "names a path that is too long or not printable"),
    ([Array(repeating: "dir", count: 300).joined(separator: "/")], [], "names a path that is too long or not printable"),
  ]

  /// The listing of `train.model` says something else, and all digests above it are right.
  private func swap(_ listing: [UInt8], size: Int, _ run: SampleRun, _ remote: MemoryRemote) throws {
    let (digest, old) = (Digest(hashing: listing), try run.output("train"))
    let name = RemoteDocument.result(try run.key("train"))
    let oldSize = try #require(try run.store.object(old.digest)).count
    let tag = try #require(RemoteDocument(.tags, "sample"))
    remote.change { state in
      state.blobs[digest] = listing
      for document in [name, tag] {
        var text = String(decoding: state.documents[document] ?? [], as: UTF8.self)
        text = text.replacingOne(old.digest.text, digest.text)
        if document == name {
          text = text.replacingOne(#""size":\#(old.size)"#, #""size":\#(size)"#).replacingOne(
            #""listing":\#(oldSize)"#, #""listing":\#(listing.count)"#)
        }
        state.documents[document] = Array(text.utf8)
      }
    }
  }

  @Test("a listing that leaves its directory or could be none is refused", arguments: listings.indices)
  func aListingThatLeavesItsDirectoryOrCouldBeNoneIsRefused(place: Int) async throws {
    let scratch = try Scratch()
    let (run, remote) = try await pushed(scratch)
    let (paths, empty, says) = Self.listings[place]
    let content = Digest(hashing: [1])
    let listing = TreeListing(files: paths.map { .init(path: $0, digest: content, size: 1) }, emptyDirectories: empty)
    remote.change { $0.blobs[content] = [1] }
    try swap(listing.bytes, size: paths.count, run, remote)
    let message = try #require(try await pulled(from: remote, scratch)).message
    #expect(message == "memory:: the directory \(Digest(hashing: listing.bytes)): \(says); nothing of it was stored")
    #expect(try !scratch.store("there").hasObject(Digest(hashing: listing.bytes)))
  }

  @Test(
    "a listing that is not written as the store writes it is refused",
    arguments: [
      (#"{"files":[],"format":"heirloom tree 1"} "#, 0, strange), (#"{"format":"heirloom tree 1","files":[]}"#, 0, strange),
      (#"{"files":[],"format":"heirloom tree 1","more":1}"#, 0, strange),
      (#"{"files":[],"format":"heirloom tree 1"}"#, 7, "lists 0 bytes instead of 7"),
      ("[]", 0, "'files' is not a list"), ("{", 0, "is not a listing"),
      (#"{"files":[{"digest":"sha256:x","path":"a","size":-1}],"format":"heirloom tree 1"}"#, 0, "'size' is not a size"),
      (#"{"files":[{"digest":"sha256:x","path":"a","size":9223372036854775807}],"format":"heirloom tree 1"}"#, 0, "'size' is not a size"),
    ])
  func aListingThatIsNotWrittenAsTheStoreWritesItIsRefused(text: String, size: Int, says: String) async throws {
    let scratch = try Scratch()
    let (run, remote) = try await pushed(scratch)
    try swap(Array(text.utf8), size: size, run, remote)
    let message = try #require(try await pulled(from: remote, scratch)).message
    #expect(message == "memory:: the directory \(Digest(hashing: text)): \(says); nothing of it was stored")
  }

  // MARK: - Tags and plans

  private static let tags: [(change: @Sendable (String) -> String, says: String)] = [
    ({ $0.replacingOne(#""recipe":"sample""#, #""recipe":"sa\nmple""#) }, "memory: tags/sample: 'recipe' is not a name"),
    ({ $0.replacingOne(#""instance":"train""#, #""instance":"data""#) }, "memory: tags/sample: names an instance twice"),
    ({ $0.replacingOne(#""instance":"train""#, #""instance":"tr\u0007ain""#) }, "memory: tags/sample: 'instance' is not a name"),
    ({ $0.replacingOne(#""instance":"train""#, #""instance":"gone""#) }, "memory:: the plan sha256:"),
    (
      { $0.replacingOne(#""files":[]"#, #""files":[{"path":"../x","digest":"sha256:00","size":1}]"#) },
      "memory: tags/sample: names a file that leaves the project"
    ),
    (
      { $0.replacingOne(#""files":[]"#, #""files":[{"path":"/etc/x","digest":"sha256:00","size":1}]"#) },
      "memory: tags/sample: names a file that leaves the project"
    ),
    ({ $0.replacingOne(#""size":"#, #""size":99999999999,"x":"#) }, "memory: tags/sample: '"),
  ]

  @Test("a tag that is not what it should be is refused", arguments: tags.indices)
  func aTagThatIsNotWhatItShouldBeIsRefused(place: Int) async throws {
    let scratch = try Scratch()
    let (_, remote) = try await pushed(scratch)
    let tag = try #require(RemoteDocument(.tags, "sample"))
    let before = String(decoding: try #require(remote.seen.documents[tag]), as: UTF8.self)
    let (change, says) = Self.tags[place]
    #expect(change(before) != before)
    remote.change { $0.documents[tag] = Array(change(before).utf8) }
    let message = try #require(try await pulled(from: remote, scratch)).message
    #expect(message.hasPrefix(says), "\(message)")
  }

  private static let plans: [(change: @Sendable (String) -> String, says: String)] = [
    ({ $0.replacingOne(#""recipe":"sample""#, #""recipe":"other""#) }, "is of another recipe"),
    ({ $0.replacingOne(#""manifest":"sample.yaml""#, #""manifest":"/etc/passwd""#) }, "'manifest' is not a relative path"),
    ({ $0.replacingOne(#""manifest":"sample.yaml""#, #""manifest":"../../x""#) }, "'manifest' is not a relative path"),
    ({ $0.replacingOne(#""stage":"test/data""#, #""stage":"te\u001bst""#) }, "'stage' is not a name"),
    ({ $0.replacingOne(#""needs":["data"]"#, #""needs":["da\nta"]"#) }, "'needs' is not a name"),
    ({ $0.replacingOne(#""numerics":"#, #""surprise":1,"numerics":"#) }, "has a member of another kind"),
  ]

  @Test("a plan that is not what it should be is refused", arguments: plans.indices)
  func aPlanThatIsNotWhatItShouldBeIsRefused(place: Int) async throws {
    let scratch = try Scratch()
    let (_, remote) = try await pushed(scratch)
    let tag = try #require(RemoteDocument(.tags, "sample"))
    let json = try JSONValue(parsing: try #require(remote.seen.documents[tag]))
    let (digest, size) = (json["plan"]?["digest"]?.stringValue ?? "", json["plan"]?["size"]?.integerValue ?? 0)
    let known = try #require(Digest(digest))
    let before = String(decoding: try #require(remote.seen.blobs[known]), as: UTF8.self)
    let (change, says) = Self.plans[place]
    let after = change(before)
    #expect(after != before)
    remote.change { state in
      state.blobs[Digest(hashing: after)] = Array(after.utf8)
      let text = String(decoding: state.documents[tag] ?? [], as: UTF8.self)
        .replacingOne(digest, Digest(hashing: after).text).replacingLast(#""size":\#(size)"#, #""size":\#(after.utf8.count)"#)
      state.documents[tag] = Array(text.utf8)
    }
    let message = try #require(try await pulled(from: remote, scratch)).message
    #expect(message == "memory:: the plan \(Digest(hashing: after)): \(says); nothing of it was stored")
  }

  @Test("any byte of any document may be other and nothing worse happens")
  func anyByteOfAnyDocumentMayBeOtherAndNothingWorseHappens() async throws {
    let scratch = try Scratch()
    let (run, remote) = try await pushed(scratch)
    let document = try #require(remote.seen.documents[.result(try run.key("train"))])
    let key = try run.key("train")
    var read = 0
    for place in document.indices {
      for byte in [UInt8(0x22), 0x39] {
        var changed = document
        changed[place] = byte
        if let other = try? ResultDocument(changed, key: key, from: "memory:") {
          // Whatever is read, it is a result of this key.
          #expect(other.key == key)
          read += 1
        }
        #expect(throws: RemoteError.self) { try ResultDocument(Array(document.prefix(place)), key: key, from: "memory:") }
      }
    }
    #expect(read > 0)
  }
}

extension String {
  /// With the first of these texts in the place of its first finding.
  func replacingOne(_ text: String, _ other: String) -> String {
    guard let found = range(of: text) else { return self }
    return self[..<found.lowerBound] + other + self[found.upperBound...]
  }

  func replacingLast(_ text: String, _ other: String) -> String {
    guard let found = ranges(of: text).last else { return self }
    return self[..<found.lowerBound] + other + self[found.upperBound...]
  }

  private func range(of text: String) -> Range<Index>? { ranges(of: text).first }
}
