import Foundation

/// Files that a command writes outside the store: whole or not at all, with the directories on the way.
enum OutputFile {
  static func write(_ bytes: [UInt8], to path: String) throws {
    let url = URL(fileURLWithPath: path)
    do {
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: url, options: .atomic)
    } catch { throw CommandFailure.usage("cannot write \(path): \(error.localizedDescription)") }
  }

  /// Into a directory that is empty or not there.
  static func write(_ files: [(path: String, bytes: [UInt8])], into directory: String) throws {
    if let names = try? FileManager.default.contentsOfDirectory(atPath: directory), !names.isEmpty {
      throw CommandFailure.usage("\(directory) is not empty")
    }
    for (path, bytes) in files { try write(bytes, to: "\(directory)/\(path)") }
  }
}
