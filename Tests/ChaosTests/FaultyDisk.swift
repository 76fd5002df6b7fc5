import Artifacts
import Glibc
import Synchronization

/// A disk that fails at a chosen operation of a store: once, or from then on. It counts the operations under the store's root; what
/// they are for it does not know.
final class FaultyDisk: Sendable {
  /// What goes wrong.
  enum Kind: String, CaseIterable, Sendable {
    /// No room: only what would write fails.
    case full
    /// A write that ends half-way, for want of room.
    case shortWrite
    /// The device answers with errors, to reading as well.
    case inputOutput
    /// Permission is gone.
    case forbidden
  }

  /// How long it lasts.
  enum Extent: String, CaseIterable, Sendable {
    case once
    /// What is on the disk is then what a crash at that instant would have left.
    case fromThenOn
  }

  struct Plan: Sendable, CustomStringConvertible {
    let kind: Kind
    let extent: Extent
    /// Counted from 0 among the operations that `kind` can fail.
    let place: Int
    /// Of the writes that end half-way.
    var bytes = 7

    var description: String { "\(kind.rawValue), \(extent.rawValue), at operation \(place)" }
  }

  let root: String
  private let plan: Plan
  private let seen = Atomic<Int>(0)
  private let firstHit = Mutex<String?>(nil)

  init(root: String, _ plan: Plan) {
    self.root = root
    self.plan = plan
  }

  /// Counts and never fails.
  static func healthy(root: String, _ kind: Kind) -> FaultyDisk {
    FaultyDisk(root: root, Plan(kind: kind, extent: .once, place: .max))
  }

  /// Operations so far that could have failed.
  var operations: Int { seen.load(ordering: .relaxed) }

  /// The operation that failed first; nil when none did.
  var hit: String? { firstHit.withLock { $0 } }

  var description: String { "\(plan.description) (\(hit ?? "not met"))" }

  var files: FileSystem { FileSystem(faults: { self.fault($0, $1) }) }

  private func fault(_ operation: FileSystem.Operation, _ path: String) -> FileSystem.Fault? {
    guard path.hasPrefix(root), let fault = plan.kind.fault(operation, plan.bytes) else { return nil }
    let place = seen.add(1, ordering: .relaxed).oldValue
    guard plan.extent == .once ? place == plan.place : place >= plan.place else { return nil }
    firstHit.withLock { if $0 == nil { $0 = "\(operation.rawValue) \(path.dropFirst(root.utf8.count))" } }
    return fault
  }
}

extension FaultyDisk.Kind {
  /// The fault of an operation, if this kind of trouble can meet it.
  fileprivate func fault(_ operation: FileSystem.Operation, _ bytes: Int) -> FileSystem.Fault? {
    switch (self, operation) {
    case (.full, .write), (.full, .sync), (.full, .rename), (.full, .link), (.full, .makeDirectory), (.full, .open): .failure(ENOSPC)
    case (.shortWrite, .write): .shortWrite(bytes: bytes, ENOSPC)
    case (.full, _), (.shortWrite, _): nil
    case (.inputOutput, _): .failure(EIO)
    case (.forbidden, .write), (.forbidden, .sync): nil
    case (.forbidden, _): .failure(EACCES)
    }
  }
}
