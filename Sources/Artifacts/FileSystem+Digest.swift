import Glibc
import Hashing

extension FileSystem {
  /// The digest of a file's bytes, and how many there are.
  package func digest(
    ofFile path: String, observe: ((Int) -> Void)? = nil
  ) throws(FileHashingError) -> (digest: Digest, size: Int) {
    do throws(StoreError) { try begin(.read, path) } catch { throw FileHashingError(path: path, code: error.code ?? EIO) }
    return try Digest.ofFile(path, observe: observe)
  }
}
