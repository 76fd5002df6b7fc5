import Glibc

/// Names of files that are being written, `….tmp-<process>-<random>`, and whether anybody still writes them.
enum TemporaryName {
  /// A process of another host may be at it, and its number means nothing here.
  private static let certainlyStaleNanoseconds = 24 * 3600 * 1_000_000_000
  private static let perhapsStaleNanoseconds = 600 * 1_000_000_000

  static func isTemporary(_ name: String) -> Bool { name.contains(".tmp-") }

  /// Nobody has written to it for a day, or for ten minutes and its writer is gone.
  static func isStale(_ name: String, _ status: FileStatus, now: Int) -> Bool {
    let age = now - max(status.modified, status.changed)
    if age >= certainlyStaleNanoseconds { return true }
    return age >= perhapsStaleNanoseconds && !isWriterAlive(name)
  }

  static func isWriterAlive(_ name: String) -> Bool {
    guard let start = name.ranges(of: ".tmp-").last?.upperBound else { return false }
    guard let pid = Int32(name[start...].prefix { $0 != "-" }) else { return false }
    return ProcessIdentity(pid: pid) != nil
  }
}
