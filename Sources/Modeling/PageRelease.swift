import Glibc
import Kernels

/// Gives whole pages of memory that is no longer read back to the system; what is read there afterwards is zero.
enum PageRelease {
  static func release(_ pointer: Floats, count: Int) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let start = Int(bitPattern: pointer)
    let first = (start + page - 1) / page * page
    let end = (start + count * MemoryLayout<Float>.stride) / page * page
    guard end > first, let address = UnsafeMutableRawPointer(bitPattern: first) else { return }
    madvise(address, end - first, MADV_DONTNEED)
  }
}
