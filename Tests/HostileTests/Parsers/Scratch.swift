import Foundation

/// Files of this process for parsers that open their input by path; in memory where the machine has a file system for that.
enum Scratch {
  static let root: String = {
    let parent = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
    let path = "\(parent)/heirloom-hostile-\(getpid())"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(atPath: Scratch.root) }
    return path
  }()

  /// Makes a directory, with these files in it, once.
  static func directory(_ name: String, _ files: [String: [UInt8]] = [:]) -> String {
    let path = root + "/" + name
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for (name, bytes) in files { write(bytes, path + "/" + name) }
    return path
  }

  static func write(_ bytes: [UInt8], _ path: String) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    precondition(descriptor >= 0, "cannot write \(path)")
    defer { close(descriptor) }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress! + written, $0.count - written) }
      precondition(count > 0, "cannot write \(path)")
      written += count
    }
  }

  /// Writes the bytes to a file that stays the same for one name, and hands its path over.
  static func file(_ name: String, _ bytes: [UInt8]) -> String {
    let path = root + "/" + name
    write(bytes, path)
    return path
  }

  /// The parts of an input that feeds several files: NUL bytes stand between them.
  static func parts(_ bytes: [UInt8], _ count: Int) -> [[UInt8]] {
    let parts = bytes.split(separator: 0, maxSplits: count - 1, omittingEmptySubsequences: false).map(Array.init)
    return parts + Array(repeating: [], count: count - parts.count)
  }
}
