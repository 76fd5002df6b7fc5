import Artifacts
import Foundation
import Hashing
import Synchronization
import Testing

@Suite("Source hashing")
struct SourceHasherTests {
  @Test("an old file is read once; one written just now is read again (it might change within the clock's grain)")
  func remembers() throws {
    let place = TemporaryStore()
    _ = try place.open()
    let path = try place.write("in", "text")
    let young = SourceHasher(path: place.root + "/index/sources")
    #expect(try young.content(of: path).digest == Digest(hashing: "text"))
    _ = try young.content(of: path)
    #expect(young.filesRead.load(ordering: .relaxed) == 2)

    let later: @Sendable () -> Int = { wallClock() + 10_000_000_000 }
    let first = SourceHasher(path: place.root + "/index/sources", now: later)
    _ = try first.content(of: path)
    first.save()
    let second = SourceHasher(path: place.root + "/index/sources", now: later)
    #expect(try second.content(of: path).digest == Digest(hashing: "text"))
    #expect(second.filesRead.load(ordering: .relaxed) == 0)
    _ = try place.write("in", "TEXT")
    #expect(try second.content(of: path).digest == Digest(hashing: "TEXT"))
  }

  @Test("a directory is its files' paths and contents, links followed; a change is noticed by name")
  func directories() throws {
    let place = TemporaryStore()
    _ = try place.open()
    let file = try place.write("model/weights", "w")
    let hasher = SourceHasher(path: place.root + "/index/sources")
    let directory = place.root + "/work/model"
    let plain = try hasher.content(of: directory)
    #expect(plain.isDirectory && plain.size == 1)
    try FileManager.default.moveItem(atPath: file, toPath: place.root + "/work/blob")
    try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: "../blob")
    #expect(try hasher.content(of: directory).digest == plain.digest)
    let content = try hasher.content(of: directory)
    _ = try place.write("blob", "other")
    #expect(hasher.changedFile(since: content) == file)
    #expect(throws: SourceProblem.self) { try hasher.content(of: place.root + "/none") }
  }
}
