import Hashing
import JSONValues
import Synchronization

/// What a run in which nothing was left to do relied on: so that the next one like it looks whether that still stands, instead of working
/// everything out again. Derived like all of `index/`, and never believed without a look.
///
/// Whoever writes it knows what `header` means; here are the results and objects, each of which one stat confirms.
package struct PlanMemo: Sendable {
  /// The result of an instance, and how its file looked.
  package struct Entry: Sendable {
    package let instance: String
    package let key: Digest
    let inode: UInt64
    let modified: Int
    let size: Int
  }

  package let header: JSONValue
  package let entries: [Entry]
  /// Objects that have to be there, not only the results that name them.
  package let objects: [Digest]

  /// Nil when one of the keys has no result that is known well enough.
  package init?(header: JSONValue, instances: [(name: String, key: Digest)], objects: [Digest], in store: Store) {
    var entries: [Entry] = []
    for (name, key) in instances {
      guard let mark = store.results.mark(key) else { return nil }
      entries.append(Entry(instance: name, key: key, inode: mark.inode, modified: mark.modified, size: mark.size))
    }
    self.header = header
    self.entries = entries
    self.objects = objects
  }

  /// Whether every result is the file that it was, and every object is there.
  package func stands(in store: Store) throws(StoreError) -> Bool {
    // Two look at once where there is much to look at: it is all waiting for the kernel.
    let middle = entries.count > 1000 ? entries.count / 2 : entries.count
    let other = Mutex(Result<Bool, StoreError>.success(true))
    var own = Result<Bool, StoreError>.success(true)
    let second: @Sendable () -> Void = { [self] in
      let result = look(at: entries[middle...], in: store)
      other.withLock { $0 = result }
    }
    atOnce({ own = look(at: entries[..<middle], in: store) }, second)
    guard try own.get(), try other.withLock({ $0 }).get() else { return false }
    for object in objects where try !store.hasObject(object) { return false }
    return true
  }

  private func look(at entries: ArraySlice<Entry>, in store: Store) -> Result<Bool, StoreError> {
    do throws(StoreError) { return .success(try stand(entries, in: store)) } catch { return .failure(error) }
  }

  private func stand(_ entries: ArraySlice<Entry>, in store: Store) throws(StoreError) -> Bool {
    for entry in entries {
      guard let status = try store.files.status(store.resultPath(entry.key)), status.inode == entry.inode,
        status.modified == entry.modified, status.size == entry.size
      else { return false }
    }
    return true
  }

  // MARK: - As a file

  /// The header; `key inode modified size instance` for each instance; `digest` for each object. Tabs between.
  var bytes: [UInt8] {
    var bytes = header.encodedBytes()
    bytes.append(0x0A)
    for entry in entries {
      bytes += "\(entry.key.hex)\t\(entry.inode)\t\(entry.modified)\t\(entry.size)\t\(Store.fileName(entry.instance))\n".utf8
    }
    for object in objects { bytes += "\(object.hex)\n".utf8 }
    return bytes
  }

  /// Nil when it is torn or another version's.
  init?(bytes: [UInt8]) {
    guard bytes.last == 0x0A, let end = bytes.firstIndex(of: 0x0A), let header = try? JSONValue(parsing: Array(bytes[..<end])) else {
      return nil
    }
    var entries: [Entry] = []
    var objects: [Digest] = []
    let isWhole = bytes.withUnsafeBufferPointer { bytes in
      var lines = IndexFields(UnsafeBufferPointer(rebasing: bytes[(end + 1)...]), separator: 0x0A)
      while let line = lines.next() {
        if line.isEmpty { continue }
        var fields = IndexFields(line)
        guard let digest = fields.next().flatMap({ Digest(digits: $0) }) else { return false }
        guard let inode = fields.integer() else {
          objects.append(digest)
          continue
        }
        guard let modified = fields.integer(), let size = fields.integer(), let name = fields.next() else { return false }
        let instance = Store.name(ofFile: String(decoding: name, as: UTF8.self))
        entries.append(Entry(instance: instance, key: digest, inode: UInt64(inode), modified: modified, size: size))
      }
      return true
    }
    guard isWhole else { return nil }
    self.header = header
    self.entries = entries
    self.objects = objects
  }
}

extension Store {
  private var memoDirectory: String { "\(root)/index/plans" }

  /// So many different requests are remembered.
  private static let memoLimit = 16

  package func hasPlanMemo(_ request: Digest) throws(StoreError) -> Bool { try files.exists("\(memoDirectory)/\(request.hex)") }

  /// What was written down for a request; nil when nothing usable was.
  package func planMemo(_ request: Digest) -> PlanMemo? {
    guard let bytes = try? files.read("\(memoDirectory)/\(request.hex)") else { return nil }
    return PlanMemo(bytes: bytes)
  }

  /// Only ever a saving, so a failure is none.
  package func keep(_ memo: PlanMemo, _ request: Digest) {
    let path = "\(memoDirectory)/\(request.hex)"
    let temporary = path + Self.temporarySuffix()
    do throws(StoreError) {
      try files.makeDirectory(memoDirectory)
      let names = try files.list(memoDirectory) ?? []
      if names.count >= Self.memoLimit {
        for name in names where name != request.hex { try files.remove("\(memoDirectory)/\(name)") }
      }
      try files.write(memo.bytes, to: temporary)
      try files.rename(temporary, to: path)
    } catch { try? files.remove(temporary) }
  }
}
