import Artifacts
import Glibc
import Hashing
import Remotes
import Testing

/// A directory for one test.
final class Scratch: Sendable {
  let path: String

  init() throws {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    path = "\(parent)/heirloom-remotes-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    try FileSystem.posix.makeDirectory(path)
  }

  deinit { try? FileSystem.posix.remove(path) }

  func store(_ name: String = "store", _ files: FileSystem = .posix) throws -> Store { try Store.open("\(path)/\(name)", files: files) }
}

extension Store {
  /// Takes bytes in as an object.
  @discardableResult
  func keep(_ bytes: [UInt8]) throws -> Blob {
    var pending = PendingWrites()
    return Blob(try put(bytes, &pending), size: bytes.count)
  }

  var parts: [String] { get throws { (try files.list(root + "/incoming") ?? []).filter { $0.hasSuffix(".part") } } }

  /// Everything that it holds.
  var objects: Set<Digest> {
    get throws {
      var found: Set<Digest> = []
      for shard in try files.list(root + "/objects") ?? [] {
        for name in try files.list("\(root)/objects/\(shard)") ?? [] { if let digest = Digest(shard + name) { found.insert(digest) } }
      }
      return found
    }
  }
}

/// Bytes that do not repeat soon.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
  return [UInt8](unsafeUninitializedCapacity: count + 8) { buffer, filled in
    var place = 0
    while place < count {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      UnsafeMutableRawBufferPointer(buffer).storeBytes(of: state, toByteOffset: place, as: UInt64.self)
      place += 8
    }
    filled = count
  }
}
