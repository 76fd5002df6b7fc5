import Artifacts
import Glibc
import Hashing
import Remotes
import Synchronization
import Testing

@Suite("Transfers")
struct TransferTests {
  private func transfer(_ remote: any Remote, _ store: Store, _ patience: Patience = .quick, jobs: Int = 4) -> Transfer {
    Transfer(remote, store, on: testThreads, jobs: jobs, patience: patience)
  }

  @Test("what is pushed comes back byte for byte and once")
  func whatIsPushedComesBackByteForByteAndOnce() async throws {
    let scratch = try Scratch()
    let (here, there, remote) = (try scratch.store("here"), try scratch.store("there"), MemoryRemote())
    let blobs = try (0..<20).map { try here.keep(noise($0 * 1000, seed: UInt64($0))) }
    let (up, down) = (transfer(remote, here), transfer(remote, there))
    #expect(try await onThreads { try await up.upload(blobs + blobs).count } == 20)
    #expect(try await onThreads { try await up.upload(blobs).count } == 0)
    _ = try await onThreads { try await down.download(blobs) }
    for blob in blobs {
      let bytes = try #require(try there.object(blob.digest))
      #expect(Digest(hashing: bytes) == blob.digest)
      #expect(try there.files.status(there.objectPath(blob.digest))?.permissions == 0o444)
    }
    _ = try await onThreads { try await down.download(blobs) }
    // An empty file has nothing to ask for; each of the others was asked for once.
    #expect(remote.seen.gets.count == 19)
    #expect(try there.parts.isEmpty)
  }

  /// Every run is a new process to the store: what it goes on from is what lies in `incoming/`.
  @Test("a transfer that is cut after every so many bytes goes on where it was cut", arguments: [1, 2, 7, 64, 299, 300])
  func aTransferThatIsCutAfterEverySoManyBytesGoesOnWhereItWasCut(bytes: Int) async throws {
    let scratch = try Scratch()
    let remote = MemoryRemote(cutAfter: bytes)
    let content = noise(300)
    let blob = Blob(Digest(hashing: content), size: 300)
    remote.change { $0.blobs[blob.digest] = content }
    var tries = 0
    while tries < 301 {
      tries += 1
      let down = transfer(remote, try scratch.store(), .none)
      do {
        _ = try await onThreads { try await down.download([blob]) }
        break
      } catch let error as RemoteError {
        #expect(error.kind == .passing)
        #expect(try scratch.store().parts == ["\(blob.digest.hex).part"])
        #expect(try !scratch.store().hasObject(blob.digest))
      }
    }
    #expect(tries == (300 + bytes - 1) / bytes)
    #expect(remote.seen.gets.map(\.offset) == Array(stride(from: 0, to: 300, by: bytes)))
    #expect(try scratch.store().object(blob.digest) == content)
    #expect(try scratch.store().parts.isEmpty)
  }

  @Test("a long transfer may be cut more often than there are tries")
  func aLongTransferMayBeCutMoreOftenThanThereAreTries() async throws {
    let scratch = try Scratch()
    let (store, remote) = (try scratch.store(), MemoryRemote(cutAfter: Patience.headway + 1))
    let content = noise(20 * Patience.headway)
    let blob = Blob(Digest(hashing: content), size: content.count)
    remote.change { $0.blobs[blob.digest] = content }
    let down = transfer(remote, store)
    _ = try await onThreads { try await down.download([blob]) }
    #expect(try store.object(blob.digest) == content)
    #expect(remote.seen.gets.count == 20)
  }

  @Test("a remote that gives nothing is tried so often and no more")
  func aRemoteThatGivesNothingIsTriedSoOftenAndNoMore() async throws {
    let scratch = try Scratch()
    let (store, remote) = (try scratch.store(), MemoryRemote(cutAfter: 0))
    let blob = Blob(Digest(hashing: [1, 2, 3]), size: 3)
    remote.change { $0.blobs[blob.digest] = [1, 2, 3] }
    let down = transfer(remote, store)
    await #expect(throws: RemoteError(.passing, "memory: the connection broke")) { try await onThreads { try await down.download([blob]) } }
    #expect(remote.seen.gets.count == 5)
  }

  enum Harm: CaseIterable { case corrupted, truncated, swapped, tooLong }

  @Test("bytes that are not what was promised are refused and nothing of them is stored", arguments: Harm.allCases)
  func bytesThatAreNotWhatWasPromisedAreRefusedAndNothingOfThemIsStored(harm: Harm) async throws {
    let scratch = try Scratch()
    let (store, remote) = (try scratch.store(), MemoryRemote())
    let content = noise(10_000)
    let blob = Blob(Digest(hashing: content), size: content.count)
    let given: [UInt8] =
      switch harm {
      case .corrupted: content.prefix(7000) + [content[7000] ^ 1] + content.suffix(2999)
      case .truncated: Array(content.prefix(9999))
      case .swapped: noise(10_000, seed: 2)
      case .tooLong: content + [0]
      }
    remote.change { $0.blobs[blob.digest] = given }
    let down = transfer(remote, store)
    let error = await #expect(throws: RemoteError.self) { try await onThreads { try await down.download([blob]) } }
    let short = "memory: ended \(blob.digest) after 9999 of 10000 bytes"
    let expected: String =
      switch harm {
      case .corrupted, .swapped: "memory: gave \(Digest(hashing: given)) where \(blob.digest) should be; nothing of it was stored"
      case .truncated: short
      case .tooLong: "memory: gave more than the 10000 bytes of \(blob.digest); nothing of it was stored"
      }
    #expect(error?.message == expected)
    #expect(try store.objects.isEmpty)
    // What may be the beginning of it stays; what is certainly wrong does not.
    #expect(try store.parts.count == (harm == .truncated ? 1 : 0))
  }

  @Test("a remote that never ends is ended at once")
  func aRemoteThatNeverEndsIsEndedAtOnce() async throws {
    let scratch = try Scratch()
    let (store, remote) = (try scratch.store(), MemoryRemote())
    let blob = Blob(Digest(hashing: [1]), size: 4096)
    remote.change { $0.blobs[blob.digest] = [UInt8](repeating: 1, count: 64 << 20) }
    let down = transfer(remote, store)
    await #expect(throws: RemoteError.self) { try await onThreads { try await down.download([blob]) } }
    #expect(remote.seen.given <= 4096)
  }

  @Test("what lay about in a part is not believed")
  func whatLayAboutInAPartIsNotBelieved() async throws {
    let scratch = try Scratch()
    let (store, remote) = (try scratch.store(), MemoryRemote())
    let content = noise(5000)
    let blob = Blob(Digest(hashing: content), size: 5000)
    remote.change { $0.blobs[blob.digest] = content }
    for lie in [noise(3000, seed: 9), noise(5000, seed: 9), noise(9000, seed: 9)] {
      try store.files.write(lie, to: "\(store.root)/incoming/\(blob.digest.hex).part")
      let down = transfer(remote, store)
      _ = try await onThreads { try await down.download([blob]) }
      #expect(try store.object(blob.digest) == content)
      try store.files.remove(store.objectPath(blob.digest))
    }
  }

  @Test("of two that want the same one fetches it")
  func ofTwoThatWantTheSameOneFetchesIt() async throws {
    let scratch = try Scratch()
    let remote = MemoryRemote()
    let content = noise(3 << 20)
    let blob = Blob(Digest(hashing: content), size: content.count)
    remote.change { $0.blobs[blob.digest] = content }
    let transfers = try (0..<6).map { _ in transfer(remote, try scratch.store()) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for down in transfers { group.addTask { _ = try await onThreads { try await down.download([blob]) } } }
      try await group.waitForAll()
    }
    #expect(remote.seen.given == content.count)
    #expect(try scratch.store().object(blob.digest) == content)
    #expect(try scratch.store().parts.isEmpty)
  }

  @Test("a remote that hangs is given up", arguments: [false, true])
  func aRemoteThatHangsIsGivenUp(blocksItsThread: Bool) async throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    let gate = DispatchGate()
    defer { gate.open() }
    let remote = MemoryRemote(trouble: {
      if blocksItsThread { gate.wait() } else { try await Task.sleep(for: .seconds(3600)) }
    })
    var patience = Patience.quick
    patience.stallSeconds = 0.2
    let down = transfer(remote, store, patience)
    let blob = Blob(Digest(hashing: [1]), size: 1)
    await #expect(throws: RemoteError(.lasting, "memory: has not answered for 1 s")) {
      try await onThreads { try await down.download([blob]) }
    }
    await #expect(throws: RemoteError(.lasting, "memory: has not answered for 1 s")) {
      try await onThreads { try await down.document(.result(blob.digest), limit: 10) }
    }
  }

  @Test("a damaged object is not pushed")
  func aDamagedObjectIsNotPushed() async throws {
    let scratch = try Scratch()
    let (store, remote) = (try scratch.store(), MemoryRemote())
    let content = noise(10_000)
    let blob = try store.keep(content)
    let path = store.objectPath(blob.digest)
    try store.files.protect(path, mode: 0o644)
    try store.files.write(noise(10_000, seed: 3), to: path)
    let up = transfer(remote, store)
    await #expect(throws: StoreError.self) { try await onThreads { try await up.upload([blob]) } }
    #expect(remote.seen.blobs.isEmpty)
  }

  @Test("a full disk ends a pull and the next one goes on")
  func aFullDiskEndsAPullAndTheNextOneGoesOn() async throws {
    let scratch = try Scratch()
    let flag = Flag(isFull: true)
    let files = FileSystem(faults: { operation, path in
      operation == .write && path.hasSuffix(".part") && flag.isSet ? .shortWrite(bytes: 100, ENOSPC) : nil
    })
    let (store, remote) = (try scratch.store("store", files), MemoryRemote())
    let content = noise(50_000)
    let blob = Blob(Digest(hashing: content), size: content.count)
    remote.change { $0.blobs[blob.digest] = content }
    let down = transfer(remote, store)
    let error = await #expect(throws: StoreError.self) { try await onThreads { try await down.download([blob]) } }
    #expect(error?.code == ENOSPC)
    #expect(try store.objects.isEmpty)
    flag.clear()
    _ = try await onThreads { try await down.download([blob]) }
    #expect(try store.object(blob.digest) == content)
  }

  @Test("what was left by a cut transfer is collected and not what is being written")
  func whatWasLeftByACutTransferIsCollectedAndNotWhatIsBeingWritten() async throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    let (left, busy) = (Digest(hashing: [1]), Digest(hashing: [2]))
    for digest in [left, busy] {
      let part = try #require(try PartFile.open(digest, size: 10, in: store))
      try [UInt8](repeating: 0, count: 5).withUnsafeBytes { try part.append($0) }
    }
    let writer = try #require(try PartFile.open(busy, size: 10, in: store))
    var rules = Collection.Rules()
    rules.olderThanSeconds = 0
    #expect(try Checkup(store).run().leftovers == ["incoming/\(left.hex).part"])
    let report = try Collection(store, rules).run()
    #expect(report.temporaries == 1)
    #expect(report.bytes == 5)
    #expect(try store.parts == ["\(busy.hex).part"])
    try withExtendedLifetime(writer) { try writer.discard() }
  }
}

final class Flag: Sendable {
  private let value: Mutex<Bool>
  init(isFull: Bool) { value = Mutex(isFull) }
  var isSet: Bool { value.withLock { $0 } }
  func clear() { value.withLock { $0 = false } }
}

/// Blocks threads until it is opened.
final class DispatchGate: @unchecked Sendable {
  private var semaphore = sem_t()
  init() { sem_init(&semaphore, 0, 0) }
  func wait() {
    while sem_wait(&semaphore) != 0 {}
    sem_post(&semaphore)
  }
  func open() { sem_post(&semaphore) }
}
