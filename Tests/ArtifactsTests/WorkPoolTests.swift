import Artifacts
import Foundation
import Hashing
import Testing

@Suite("Work directories that are used again") struct WorkPoolTests {
  private final class Ground {
    let root = FileManager.default.temporaryDirectory.path + "/heirloom-pool-" + UUID().uuidString
    let store: Store
    init() throws { store = try Store.open(root) }
    deinit { try? FileSystem.posix.remove(root) }

    func work(_ name: String) -> WorkDirectory { store.workDirectory(Digest(hashing: name)) }
    var spares: [String] { (try? FileManager.default.contentsOfDirectory(atPath: root + "/incoming")) ?? [] }
    func inode(_ path: String) throws -> UInt64? { try store.files.status(path)?.inode }
  }

  @Test("what a stage left as it found it serves the next one") func again() throws {
    let ground = try Ground()
    let first = ground.work("first")
    try first.prepare(.forgotten)
    try ground.store.files.write(Array("{}".utf8), to: first.orderPath)
    try ground.store.files.write([], to: first.logPath)
    try ground.store.files.write(Array("{}\n".utf8), to: first.eventsPath)
    let inode = try ground.inode(first.outputDirectory)
    try first.remove()
    #expect(ground.spares.count == 1 && !FileManager.default.fileExists(atPath: first.path))
    let second = ground.work("second")
    try second.prepare(.forgotten)
    #expect(try ground.inode(second.outputDirectory) == inode && ground.spares.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: second.eventsPath))
    #expect(try !second.hasCheckpoint())
    try second.remove()
    ground.store.spares.clear()
    #expect(ground.spares.isEmpty)
  }

  /// What a stage may leave that the next one must not find.
  private static let traces: [(name: String, leave: @Sendable (WorkDirectory, FileSystem) throws -> Void)] = [
    ("a file of its own", { try $1.write([1], to: $0.path + "/notes") }),
    ("a hidden file", { try $1.write([1], to: $0.outputDirectory + "/.hidden") }),
    ("a checkpoint", { try $1.write([1], to: $0.checkpointDirectory + "/step") }),
    ("a log", { try $1.write([1], to: $0.logPath) }),
    (
      "a log with another name",
      {
        try $1.write([], to: $0.logPath)
        try $1.hardLink($0.path + "-log", to: $0.logPath)
      }
    ),
    ("a link as its log", { try $1.symbolicLink($0.logPath, to: "/etc/passwd") }),
    (
      "a link as its output directory",
      {
        try $1.remove($0.outputDirectory)
        try $1.symbolicLink($0.outputDirectory, to: "/tmp")
      }
    ),
    ("no output directory", { try $1.remove($0.outputDirectory) }),
    ("other permissions", { try $1.protect($0.outputDirectory, mode: 0o777) }),
    ("other permissions of the whole", { try $1.protect($0.path, mode: 0o700) }),
    (
      "a file as its checkpoint directory",
      {
        try $1.remove($0.checkpointDirectory)
        try $1.write([], to: $0.checkpointDirectory)
      }
    ),
  ]

  @Test("anything else is removed", arguments: traces.indices) func removed(place: Int) throws {
    let ground = try Ground()
    let work = ground.work("first")
    try work.prepare(.forgotten)
    try Self.traces[place].leave(work, ground.store.files)
    try work.remove()
    #expect(ground.spares.isEmpty, "\(Self.traces[place].name)")
    #expect(!FileManager.default.fileExists(atPath: work.path))
  }

  @Test("a spare that the collector took is not missed") func gone() throws {
    let ground = try Ground()
    let first = ground.work("first")
    try first.prepare(.forgotten)
    try first.remove()
    for spare in ground.spares { try ground.store.files.remove(ground.root + "/incoming/" + spare) }
    let second = ground.work("second")
    try second.prepare(.forgotten)
    #expect(FileManager.default.fileExists(atPath: second.outputDirectory))
  }
}
