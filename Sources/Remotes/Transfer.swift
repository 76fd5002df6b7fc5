import Artifacts
import Hashing

/// Moves blobs and documents between a store and a remote: several at once, each checked while it streams, those that were cut gone on
/// with, and transient failures tried again. It does not know what the blobs are parts of.
package struct Transfer: Sendable {
  package let remote: any Remote
  package let store: Store
  let threads: RemoteThreads
  /// Transfers at once.
  let jobs: Int
  let patience: Patience
  let meter: WorkMeter?

  package init(
    _ remote: any Remote, _ store: Store, on threads: RemoteThreads, jobs: Int = 4, patience: Patience = Patience(),
    meter: WorkMeter? = nil
  ) {
    self.remote = remote
    self.store = store
    self.threads = threads
    self.jobs = max(1, jobs)
    self.patience = patience
    self.meter = meter
  }

  /// So many blobs are asked after at once.
  private static let batch = 1000

  // MARK: - Up

  /// Has the remote keep all of these objects; returns what had to be sent.
  package func upload(_ blobs: [Blob]) async throws -> [Blob] {
    let store = store
    return try await upload(blobs) { try ObjectSource($0, in: store) }
  }

  /// The same from anywhere.
  package func upload(_ blobs: [Blob], _ source: @escaping @Sendable (Blob) throws -> any BlobSource) async throws -> [Blob] {
    let blobs = Self.distinct(blobs)
    var missing: [Blob] = []
    for start in stride(from: 0, to: blobs.count, by: Self.batch) {
      let part = Array(blobs[start..<min(start + Self.batch, blobs.count)])
      missing += try await ask { try await $0.missing(part) }.filter(part.contains)
    }
    meter?.begin("pushing \(Count.text(missing.count, "file"))", items: missing.count, bytes: Self.bytes(missing))
    try await each(missing) { blob, pulse in
      try await patience.persist { headway in
        try await remote.put(blob, source(blob)) { count in
          pulse.beat()
          meter?.add(bytes: count)
          headway.moved(count)
        }
      }
    }
    return missing
  }

  // MARK: - Down

  /// Has the store hold all of these as objects. What a result that speaks of them has to wait for is returned.
  package func download(_ blobs: [Blob]) async throws -> PendingWrites {
    var missing: [Blob] = []
    for blob in Self.distinct(blobs) where try store.files.status(store.objectPath(blob.digest))?.size != blob.size { missing.append(blob) }
    meter?.begin("pulling \(Count.text(missing.count, "file"))", items: missing.count, bytes: Self.bytes(missing))
    let pending = SharedValue(PendingWrites())
    try await each(missing) { blob, pulse in
      let fresh = try await receive(blob, pulse)
      pending.change { $0.add(fresh) }
    }
    return pending.current
  }

  private func receive(_ blob: Blob, _ pulse: Pulse) async throws -> PendingWrites {
    var pending = PendingWrites()
    guard let part = try await partFile(blob, pulse, &pending) else { return pending }
    meter?.add(bytes: part.count)
    while true {
      do {
        try await fill(part, blob, pulse)
        try part.finish(&pending)
        return pending
      } catch let mismatch as PartFile.Mismatch {
        guard part.isResumed else {
          try part.discard()
          throw refusal(blob, mismatch)
        }
        // What lay here may be what was wrong.
        try part.startAnew()
      }
    }
  }

  private func fill(_ part: PartFile, _ blob: Blob, _ pulse: Pulse) async throws {
    try await patience.persist { headway in
      guard part.count < blob.size else { return }
      try await remote.get(blob, from: part.count) { bytes in
        try Task.checkCancellation()
        pulse.beat()
        try part.append(bytes)
        meter?.add(bytes: bytes.count)
        headway.moved(bytes.count)
      }
      guard part.count == blob.size else {
        throw RemoteError(.passing, "\(remote.address) ended \(blob.digest) after \(part.count) of \(blob.size) bytes")
      }
    }
  }

  /// Nil when the object is there, because whoever was at it has brought it.
  private func partFile(_ blob: Blob, _ pulse: Pulse, _ pending: inout PendingWrites) async throws -> PartFile? {
    while true {
      if let part = try PartFile.open(blob.digest, size: blob.size, in: store) {
        guard try store.files.status(store.objectPath(blob.digest))?.size == blob.size else { return part }
        // Another has brought it and may not have come to make it last.
        try part.discard()
        try store.makeLast(blob.digest, size: blob.size, &pending)
        return nil
      }
      // Another process brings it: as long as it gets on, that is as good.
      if let status = try store.partStatus(blob.digest), Double(wallClock() - status.modified) < 1e9 * patience.stallSeconds {
        pulse.beat()
      }
      try await patience.pause(0.05)
    }
  }

  func refusal(_ blob: Blob, _ mismatch: PartFile.Mismatch) -> RemoteError {
    let text =
      switch mismatch {
      case .tooMany: "gave more than the \(blob.size) bytes of \(blob.digest)"
      case .tooFew(let count): "gave \(count) of the \(blob.size) bytes of \(blob.digest)"
      case .other(let digest): "gave \(digest) where \(blob.digest) should be"
      }
    return RemoteError(.damaged, "\(remote.address) \(text); nothing of it was stored")
  }

  /// A small blob, whole and checked, that no object is made of; at most as large as it is said to be.
  func bytes(_ blob: Blob) async throws -> [UInt8] {
    let bytes = try await ask { remote in
      var bytes: [UInt8] = []
      guard blob.size > 0 else { return bytes }
      try await remote.get(blob, from: 0) { piece in
        guard bytes.count + piece.count <= blob.size else { throw refusal(blob, .tooMany) }
        bytes.append(contentsOf: piece)
      }
      guard bytes.count == blob.size else { throw refusal(blob, .tooFew(bytes.count)) }
      return bytes
    }
    let found = Digest(hashing: bytes)
    guard found == blob.digest else { throw refusal(blob, .other(found)) }
    return bytes
  }

  // MARK: - Documents

  package func document(_ name: RemoteDocument, limit: Int) async throws -> [UInt8]? {
    let bytes = try await ask { try await $0.document(name, limit: limit) }
    if let bytes, bytes.count > limit { throw Self.tooLong(remote.address, name, limit) }
    return bytes
  }

  /// - Parameter documents: what it is about, as `Remote.put` has it.
  package func put(_ name: RemoteDocument, _ bytes: [UInt8], blobs: [Blob], upon documents: [RemoteDocument] = []) async throws {
    try await ask { try await $0.put(name, bytes, blobs: blobs, upon: documents) }
  }

  package func documents(_ kind: RemoteDocument.Kind) async throws -> [RemoteDocument]? { try await ask { try await $0.documents(kind) } }

  package static func tooLong(_ address: String, _ name: RemoteDocument, _ limit: Int) -> RemoteError {
    RemoteError(.damaged, "\(address): the document \(name.kind.rawValue)/\(name.name) is longer than \(limit) bytes")
  }

  // MARK: - Many at once

  /// One short question, tried again where that may help.
  private func ask<Answer: Sendable>(_ question: @escaping @Sendable (any Remote) async throws -> Answer) async throws -> Answer {
    let (remote, patience) = (remote, patience)
    return try await Watchdog.watch(remote.address, seconds: patience.stallSeconds, on: threads) { pulse in
      try await patience.persist { _ in
        pulse.beat()
        return try await question(remote)
      }
    }
  }

  /// Does `body` for every element, `jobs` at once. The first failure ends it, when what has been begun has ended too.
  func each<Element: Sendable>(_ elements: [Element], _ body: @escaping @Sendable (Element, Pulse) async throws -> Void) async throws {
    guard !elements.isEmpty else { return }
    let (jobs, meter) = (min(jobs, elements.count), meter)
    try await Watchdog.watch(remote.address, seconds: patience.stallSeconds, on: threads) { pulse in
      try await withThrowingTaskGroup(of: Void.self) { group in
        let next = SharedValue(0)
        for _ in 0..<jobs {
          group.addTask {
            while let element = next.change({ place -> Element? in
              defer { place += 1 }
              return place < elements.count ? elements[place] : nil
            }) {
              try Task.checkCancellation()
              try await body(element, pulse)
              pulse.beat()
              meter?.add(items: 1)
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  /// Large ones first, so that none is left alone at the end.
  private static func distinct(_ blobs: [Blob]) -> [Blob] {
    var seen: Set<Digest> = []
    return blobs.filter { seen.insert($0.digest).inserted }.sorted { ($1.size, $0.digest) < ($0.size, $1.digest) }
  }

  private static func bytes(_ blobs: [Blob]) -> Int { blobs.reduce(0) { $0.addingReportingOverflow($1.size).partialValue } }
}
