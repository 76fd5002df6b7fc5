import Artifacts
import Execution
import Foundation
import Glibc
import Hashing
import Remotes
import Synchronization
import Testing

/// A remote of files, in a directory and, where a server is there, on it.
enum Place: String, CaseIterable, CustomTestStringConvertible {
  case directory, ssh

  var testDescription: String { rawValue }

  /// A client configuration that knows the host `heirloom-test` (scripts/services/sshd).
  static let configuration = callerEnvironment()["HEIRLOOM_TEST_SSHD"]

  /// Under CI a server that is not there is a failure, which the tests of it then are.
  static let here: [Place] = {
    if configuration != nil || callerEnvironment()["CI"] == "true" { return allCases }
    StandardError.line("skipped: remotes over ssh, for HEIRLOOM_TEST_SSHD is not set (scripts/services/sshd start DIR)")
    return [.directory]
  }()

  func files(_ path: String, _ system: FileSystem = .posix) throws -> any RemoteFiles {
    switch self {
    case .directory: return DirectoryFiles(path, address: "dir:\(path)", files: system)
    case .ssh:
      var environment = callerEnvironment()
      environment["HEIRLOOM_SSH"] = "ssh -F \(try #require(Self.configuration))"
      return try SSHFiles("ssh://heirloom-test\(path)", environment: environment, limitSeconds: 30)
    }
  }
}

@Suite("Remotes made of files")
struct TreeRemoteTests {
  private func transfer(_ remote: any Remote, _ store: Store, jobs: Int = 4) -> Transfer {
    Transfer(remote, store, on: testThreads, jobs: jobs, patience: .none)
  }

  /// Does `body` with a remote and ends its connection.
  private func using<Result: Sendable>(
    _ files: any RemoteFiles, _ body: @escaping @Sendable (FileTreeRemote) async throws -> Result
  ) async throws -> Result {
    try await onThreads {
      let remote = FileTreeRemote(files)
      do {
        let result = try await body(remote)
        await remote.close()
        return result
      } catch {
        await remote.close()
        throw error
      }
    }
  }

  @Test("files of all sizes go there and come back", arguments: Place.here)
  func filesOfAllSizesGoThereAndComeBack(place: Place) async throws {
    let scratch = try Scratch()
    let (here, there) = (try scratch.store("here"), try scratch.store("there"))
    let sizes = [0, 1, 32 << 10, (32 << 10) + 1, 255 << 10, (255 << 10) + 1, (1 << 20) - 1, 1 << 20, 9_000_001]
    let blobs = try sizes.map { try here.keep(noise($0, seed: UInt64($0))) }
    let root = scratch.path + "/remote"
    try await using(place.files(root)) { remote in
      _ = try await self.transfer(remote, here).upload(blobs)
      #expect(try await self.transfer(remote, here).upload(blobs).isEmpty)
      _ = try await self.transfer(remote, there).download(blobs)
    }
    for blob in blobs {
      #expect(Digest(hashing: try #require(try there.object(blob.digest))) == blob.digest)
      let path = "\(root)/objects/\(blob.digest.hex.prefix(2))/\(blob.digest.hex.dropFirst(2))"
      #expect(try FileSystem.posix.status(path)?.permissions == 0o444)
    }
    #expect(try FileSystem.posix.list(root + "/incoming") == [])
    #expect(try FileSystem.posix.read(root + "/heirloom-remote") == Array("heirloom remote 1\n".utf8))
  }

  @Test("documents are written read and listed", arguments: Place.here)
  func documentsAreWrittenReadAndListed(place: Place) async throws {
    let scratch = try Scratch()
    let names = [try #require(RemoteDocument(.tags, "a.b-c")), .result(Digest(hashing: [1])), .result(Digest(hashing: [2]))]
    try await using(place.files(scratch.path + "/remote")) { remote in
      for name in names { try await remote.put(name, Array("one".utf8), blobs: []) }
      for name in names {
        try await remote.put(name, Array("two".utf8), blobs: [])
        #expect(try await remote.document(name, limit: 3) == Array("two".utf8))
        let long = await #expect(throws: RemoteError.self) { try await remote.document(name, limit: 2) }
        #expect(long?.kind == .damaged)
      }
      #expect(try await remote.documents(.tags) == [names[0]])
      #expect(try await Set(remote.documents(.results) ?? []) == Set(names[1...]))
      #expect(try await remote.documents(.statements) == [])
      #expect(try await remote.document(.result(Digest(hashing: [3])), limit: 3) == nil)
    }
  }

  @Test("an upload that was cut goes on behind what is right of it", arguments: Place.here)
  func anUploadThatWasCutGoesOnBehindWhatIsRightOfIt(place: Place) async throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    let content = noise(5_000_000)
    let blob = try store.keep(content)
    let root = scratch.path + "/remote"
    // Nothing of it, a part of it, all of it, a part that is wrong from somewhere on, and more than it.
    let wrong = Array(content.prefix(2_000_000)) + [UInt8](repeating: 0, count: 500_000)
    for (left, sent) in [
      ([], 5_000_000), (Array(content.prefix(3_000_000)), 2_000_000), (content, 0), (wrong, nil), (content + [1, 2], 0),
    ] {
      let source = CountingSource(content)
      try await using(place.files(root)) { try await $0.put(RemoteDocument.result(blob.digest), [], blobs: []) }
      try FileSystem.posix.write(left, to: "\(root)/incoming/\(blob.digest.hex).part")
      try await using(place.files(root)) { remote in
        let moved = Count()
        try await remote.put(blob, source) { moved.add($0) }
        if let sent { #expect(moved.value == sent) } else { #expect((3_000_000...4_000_000).contains(moved.value)) }
        #expect(try await remote.missing([blob]).isEmpty)
      }
      let object = "\(root)/objects/\(blob.digest.hex.prefix(2))/\(blob.digest.hex.dropFirst(2))"
      #expect(try FileSystem.posix.read(object) == content)
      #expect(try FileSystem.posix.list(root + "/incoming") == [])
      try FileSystem.posix.remove(object)
    }
  }

  @Test("several may push the same at once", arguments: Place.here)
  func severalMayPushTheSameAtOnce(place: Place) async throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    let blobs = try (0..<5).map { try store.keep(noise(700_000, seed: UInt64($0))) }
    let root = scratch.path + "/remote"
    let places = try (0..<4).map { _ in try place.files(root) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for files in places {
        group.addTask { try await self.using(files) { remote in _ = try await self.transfer(remote, store).upload(blobs) } }
      }
      try await group.waitForAll()
    }
    for blob in blobs {
      let bytes = try FileSystem.posix.read("\(root)/objects/\(blob.digest.hex.prefix(2))/\(blob.digest.hex.dropFirst(2))")
      #expect(Digest(hashing: try #require(bytes)) == blob.digest)
    }
  }

  /// One has half of it when another brings all of it; a third begins then, and has a part when the first is done.
  @Test("what others have begun is never named whole, whoever comes first", arguments: Place.here)
  func whatOthersHaveBegunIsNeverNamedWhole(place: Place) async throws {
    let scratch = try Scratch()
    let root = scratch.path + "/remote"
    let content = noise(3_000_000)
    let blob = Blob(Digest(hashing: content), size: content.count)
    let object = "\(root)/objects/\(blob.digest.hex.prefix(2))/\(blob.digest.hex.dropFirst(2))"
    @Sendable func isWhole() throws -> Bool { try FileSystem.posix.read(object) == content }
    let (first, second, third) = (try place.files(root), try place.files(root), try place.files(root))
    let (hasBegun, mayGoOn) = (Gate(), Gate())
    let late = CountingSource(content) { offset in
      guard offset > 0 else { return }
      hasBegun.open()
      mayGoOn.wait()
    }
    let last = Mutex<Task<Void, any Error>?>(nil)
    let early = CountingSource(content) { offset in
      guard offset == 1 << 20 else { return }
      try testThreads.wait { try await self.using(second) { try await $0.put(blob, CountingSource(content)) { _ in } } }
      #expect(try isWhole())
      last.withLock { $0 = Task { try await self.using(third) { try await $0.put(blob, late) { _ in } } } }
      hasBegun.wait()
    }
    try await using(first) { try await $0.put(blob, early) { _ in } }
    #expect(try isWhole())
    mayGoOn.open()
    try await last.withLock { $0 }?.value
    #expect(try isWhole())
    #expect(try FileSystem.posix.list(root + "/incoming") == [])
  }

  @Test("a directory that is something else is refused", arguments: Place.here)
  func aDirectoryThatIsSomethingElseIsRefused(place: Place) async throws {
    let scratch = try Scratch()
    let root = scratch.path + "/photos"
    let blob = Blob(Digest(hashing: [1]), size: 1)
    let files = try place.files(root)
    let absent = await #expect(throws: RemoteError.self) {
      try await using(files) { try await $0.document(.result(blob.digest), limit: 1) }
    }
    #expect(absent?.message.hasPrefix("\(files.address): there is no such directory") == true)
    try FileSystem.posix.makeDirectory(root)
    try FileSystem.posix.write([1], to: root + "/photo.jpg")
    for use in [RemoteUse.reading, .writing] {
      let other = await #expect(throws: RemoteError.self) { try await onThreads { try await files.prepare(use) } }
      #expect(other?.kind == .usage)
    }
    #expect(try FileSystem.posix.list(root) == ["photo.jpg"])
    await files.close()
  }

  @Test("what is damaged there is refused here", arguments: Place.here)
  func whatIsDamagedThereIsRefusedHere(place: Place) async throws {
    let scratch = try Scratch()
    let (here, there) = (try scratch.store("here"), try scratch.store("there"))
    let blob = try here.keep(noise(100_000))
    let root = scratch.path + "/remote"
    try await using(place.files(root)) { remote in _ = try await self.transfer(remote, here).upload([blob]) }
    let object = "\(root)/objects/\(blob.digest.hex.prefix(2))/\(blob.digest.hex.dropFirst(2))"
    try FileSystem.posix.protect(object, mode: 0o644)
    for lie in [noise(100_000, seed: 2), noise(99_999), noise(200_000)] {
      try FileSystem.posix.write(lie, to: object)
      await #expect(throws: RemoteError.self) {
        try await using(place.files(root)) { remote in try await self.transfer(remote, there).download([blob]) }
      }
      #expect(try there.objects.isEmpty)
    }
  }

  @Test("a full disk is said and leaves nothing that is taken for whole")
  func aFullDiskIsSaidAndLeavesNothingThatIsTakenForWhole() async throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    let blob = try store.keep(noise(3_000_000))
    let root = scratch.path + "/remote"
    let full = FileSystem(faults: { operation, path in
      operation == .write && path.hasSuffix(".part") ? .shortWrite(bytes: 1000, ENOSPC) : nil
    })
    let error = await #expect(throws: RemoteError.self) {
      try await using(DirectoryFiles(root, address: "dir:disk", files: full)) { try await self.transfer($0, store).upload([blob]) }
    }
    #expect(error?.message.hasPrefix("dir:disk: \(root)/incoming/\(blob.digest.hex).") == true)
    #expect(error?.message.hasSuffix(".part: cannot write: No space left on device") == true)
    try await using(DirectoryFiles(root, address: "dir:disk")) { remote in
      #expect(try await remote.missing([blob]) == [blob])
      _ = try await self.transfer(remote, store).upload([blob])
      #expect(try await remote.missing([blob]).isEmpty)
    }
  }

  @Test("a read only disk is said")
  func aReadOnlyDiskIsSaid() async throws {
    let scratch = try Scratch()
    let root = scratch.path + "/remote"
    try FileSystem.posix.makeDirectory(root)
    let readOnly = FileSystem(faults: { operation, path in
      (operation == .makeDirectory || operation == .write) && path.hasPrefix(root) ? .failure(EROFS) : nil
    })
    let error = await #expect(throws: RemoteError.self) {
      try await using(DirectoryFiles(root, address: "dir:disk", files: readOnly)) { remote in
        try await remote.put(.result(Digest(hashing: [1])), [1], blobs: [])
      }
    }
    #expect(error == RemoteError(.lasting, "dir:disk: \(root)/incoming: cannot make directory: Read-only file system"))
  }

  @Test("a disk that is not mounted is not written under")
  func aDiskThatIsNotMountedIsNotWrittenUnder() async throws {
    let scratch = try Scratch()
    let error = await #expect(throws: RemoteError.self) {
      try await using(DirectoryFiles(scratch.path + "/mnt/disk/remote", address: "dir:disk")) { remote in
        try await remote.put(.result(Digest(hashing: [1])), [1], blobs: [])
      }
    }
    #expect(error?.message == "dir:disk: there is no directory \(scratch.path)/mnt/disk to make it in; is the disk mounted?")
  }
}

final class Count: Sendable {
  private let count = Mutex(0)
  func add(_ more: Int) { count.withLock { $0 += more } }
  var value: Int { count.withLock { $0 } }
}

struct CountingSource: BlobSource {
  let bytes: [UInt8]
  private let willRead: @Sendable (Int) throws -> Void

  /// - Parameter willRead: is told where, and may take its time.
  init(_ bytes: [UInt8], willRead: @escaping @Sendable (Int) throws -> Void = { _ in }) {
    self.bytes = bytes
    self.willRead = willRead
  }

  var size: Int { bytes.count }

  func read(_ offset: Int, _ count: Int) throws -> [UInt8] {
    try willRead(offset)
    return Array(bytes[min(offset, size)..<min(size, offset + count)])
  }
}

/// Lets nobody through until it is opened.
final class Gate: @unchecked Sendable {
  private let condition = NSCondition()
  private var isOpen = false

  func open() {
    condition.withLock {
      isOpen = true
      condition.broadcast()
    }
  }

  func wait() { condition.withLock { while !isOpen { condition.wait() } } }
}
