import Glibc
import Hashing

extension Store {
  package func hasObject(_ digest: Digest) throws(StoreError) -> Bool { try files.exists(objectPath(digest)) }

  /// The bytes of an object; nil when they are not here.
  package func object(_ digest: Digest) throws(StoreError) -> [UInt8]? { try files.read(objectPath(digest)) }

  package func listing(_ digest: Digest) throws(StoreError) -> TreeListing? {
    guard let bytes = try object(digest) else { return nil }
    guard let listing = TreeListing(bytes: bytes) else {
      throw StoreError("this object should list a directory and does not", path: objectPath(digest))
    }
    return listing
  }

  /// Whether every byte of an output is here.
  package func holds(_ output: StoredOutput) throws(StoreError) -> Bool {
    guard output.isDirectory else { return try hasObject(output.digest) }
    guard let listing = try listing(output.digest) else { return false }
    for file in listing.files where try !hasObject(file.digest) { return false }
    return true
  }

  // MARK: - Taking in

  /// What an output will be stored as: digests known, nothing moved yet.
  package struct Intake: Sendable {
    package let output: StoredOutput
    fileprivate let path: String
    fileprivate let listing: TreeListing?
  }

  /// Hashes what a stage made. Nothing is moved, so a digest that should not be is refused without a trace.
  package func examine(_ path: String, as survey: OutputSurvey, name: String, type: String) throws(StoreError) -> Intake {
    var entries: [TreeListing.File] = []
    for relative in survey.paths {
      let (digest, size) = try hash(survey.isDirectory ? "\(path)/\(relative)" : path)
      entries.append(TreeListing.File(path: relative, digest: digest, size: size))
    }
    guard survey.isDirectory else {
      let file = entries[0]
      let output = StoredOutput(name: name, type: type, digest: file.digest, size: file.size, isDirectory: false)
      return Intake(output: output, path: path, listing: nil)
    }
    let listing = TreeListing(files: entries, emptyDirectories: survey.emptyDirectories)
    let digest = Digest(hashing: listing.bytes)
    return Intake(
      output: StoredOutput(name: name, type: type, digest: digest, size: listing.size, isDirectory: true), path: path, listing: listing)
  }

  /// The digest of a file's bytes, and how many there are; a file that cannot be read is the store's fault.
  package func hash(_ path: String) throws(StoreError) -> (digest: Digest, size: Int) {
    // While a large file is read it is also written, so that there is less to wait for afterwards.
    if let status = try files.status(path, followingLinks: false), status.size >= Self.syncedAlone { files.startWriting(path) }
    do { return try files.digest(ofFile: path) } catch { throw StoreError(.read, path, error.code) }
  }

  /// Moves an examined output into `objects/`. Bytes and names last after `PendingWrites.sync`; until then an object can be torn by a loss of
  /// power, but nothing speaks of it, and a torn one has not its size.
  package func take(_ intake: Intake, _ pending: inout PendingWrites) throws(StoreError) {
    guard let listing = intake.listing else {
      return try adopt(intake.path, digest: intake.output.digest, size: intake.output.size, &pending)
    }
    for file in listing.files {
      try adopt("\(intake.path)/\(file.path)", digest: file.digest, size: file.size, &pending)
    }
    try put(listing.bytes, digest: intake.output.digest, &pending)
  }

  /// One file, of that digest, enters by rename: no second copy. What is there already, whole, stays.
  package func adopt(_ path: String, digest: Digest, size: Int, _ pending: inout PendingWrites) throws(StoreError) {
    let object = objectPath(digest)
    // What is in place already was put there by somebody who may not have come to make it last.
    pending.add(directory: Self.parent(of: object))
    if let known = try files.status(object), known.kind == .file, known.size == size {
      if size < Self.syncedAlone { pending.add(file: object) }
      return
    }
    guard let status = try files.status(path, followingLinks: false), status.kind == .file else {
      throw StoreError("the file vanished before it was stored", path: path)
    }
    // Another name would let its content be changed through it, so such a file is copied.
    if status.names > 1 { return try copy(path, digest: digest, &pending) }
    try files.protect(path, mode: 0o444)
    if size >= Self.syncedAlone { try files.syncFile(path) } else { pending.add(file: object) }
    try files.rename(path, to: object)
  }

  /// A large file is made to last by whoever made it, before it gets its name; small ones together.
  private static let syncedAlone = 1 << 20

  private func copy(_ path: String, digest: Digest, _ pending: inout PendingWrites) throws(StoreError) {
    let source = try files.open(path, O_RDONLY)
    defer { close(source) }
    try place(digest, &pending) { (descriptor, temporary) throws(StoreError) in
      try files.copy(source, path, descriptor, temporary)
    }
  }

  /// Stores bytes made here: a listing, a log.
  package func put(_ bytes: [UInt8], digest: Digest, _ pending: inout PendingWrites) throws(StoreError) {
    let object = objectPath(digest)
    pending.add(directory: Self.parent(of: object))
    if let known = try files.status(object), known.kind == .file, known.size == bytes.count { return pending.add(file: object) }
    try place(digest, &pending) { (descriptor, temporary) throws(StoreError) in try files.write(bytes, descriptor, temporary) }
  }

  package func put(_ bytes: [UInt8], _ pending: inout PendingWrites) throws(StoreError) -> Digest {
    let digest = Digest(hashing: bytes)
    try put(bytes, digest: digest, &pending)
    return digest
  }

  private func place(
    _ digest: Digest, _ pending: inout PendingWrites, _ fill: (Int32, String) throws(StoreError) -> Void
  ) throws(StoreError) {
    let temporary = "\(root)/incoming/\(digest.hex)\(Self.temporarySuffix())"
    let descriptor = try files.open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o444)
    defer { close(descriptor) }
    do {
      try fill(descriptor, temporary)
      try files.rename(temporary, to: objectPath(digest))
      pending.add(file: objectPath(digest))
    } catch {
      try? files.remove(temporary)
      throw error
    }
  }

  /// Puts a damaged object aside, so that it is made again.
  package func setAside(_ digest: Digest) throws(StoreError) {
    try files.makeDirectory("\(root)/damaged")
    try files.rename(objectPath(digest), to: "\(root)/damaged/\(digest.hex)\(Self.temporarySuffix())")
  }
}
