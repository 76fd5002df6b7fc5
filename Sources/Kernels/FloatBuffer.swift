import Glibc

package typealias Floats = UnsafeMutablePointer<Float>

/// Zeroed memory for `count` values of a trivial type, 64-byte aligned, on huge pages when it is large. It does not know what the values
/// mean, and does not check accesses: who writes where at the same time is the owner's business.
///
/// `@unchecked Sendable`: the pointer is fixed; access is coordinated by the code that shares it (disjoint ranges inside `ThreadPool.run`).
package final class AlignedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
  package let pointer: UnsafeMutablePointer<Element>
  package let count: Int
  private let bytes: Int

  /// Memory for `count` zeros.
  package init(count: Int) {
    precondition(count >= 0, "a buffer of \(count) elements")
    let page = count * MemoryLayout<Element>.stride >= Self.hugePage ? Self.hugePage : 4096
    bytes = max(1, (count * MemoryLayout<Element>.stride + page - 1) / page) * page
    guard let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), memory != MAP_FAILED else {
      preconditionFailure("cannot allocate \(bytes) bytes")
    }
    if page == Self.hugePage { madvise(memory, bytes, MADV_HUGEPAGE) }
    pointer = memory.bindMemory(to: Element.self, capacity: count)
    self.count = count
  }

  deinit { munmap(pointer, bytes) }

  private static var hugePage: Int { 2 << 20 }

  /// Sets every element to zero.
  package func clear() { memset(pointer, 0, count * MemoryLayout<Element>.stride) }

  /// The elements as a collection (bounds are checked in debug builds only).
  package var elements: UnsafeMutableBufferPointer<Element> { .init(start: pointer, count: count) }
}

package typealias FloatBuffer = AlignedBuffer<Float>
package typealias Int32Buffer = AlignedBuffer<Int32>
