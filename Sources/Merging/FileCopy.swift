import Glibc
import Modeling

/// Copies files byte for byte; the copy appears when it is whole.
package enum FileCopy {
  package static func copy(_ source: String, to target: String) throws(ModelError) {
    let file = try PositionedFile(path: source)
    let copy = try AtomicFile(path: target, size: file.size)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    for start in stride(from: 0, to: file.size, by: buffer.count) {
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, file.size - start)])
      try file.read(into: part, at: start)
      try copy.write(UnsafeRawBufferPointer(part), at: start)
    }
    try copy.commit()
  }
}
