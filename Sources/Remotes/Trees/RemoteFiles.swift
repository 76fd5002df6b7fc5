/// The file operations that a remote made of files needs, on this machine or another. Paths are relative to the remote's root. It does not
/// know what the files are.
package protocol RemoteFiles: Sendable {
  var address: String { get }

  /// Of each of these the size in bytes; nil where there is no such file.
  func sizes(_ paths: [String]) async throws -> [Int?]

  /// Gives the bytes from `offset` to the end of the file, in order; `absent` when there is none.
  func read(_ path: String, from offset: Int, _ sink: (UnsafeRawBufferPointer) throws -> Void) async throws

  /// Opens a file for writing, making it and what it lies in, and leaving what it holds.
  func open(_ path: String) async throws -> any RemoteFileWriter

  /// Gives a file another name, in the place of what has it.
  func rename(_ path: String, to target: String) async throws

  func remove(_ path: String) async throws

  /// Names in a directory, some of which may be directories; nil when there is no such directory.
  func list(_ path: String) async throws -> [String]?

  /// Looks whether the root is there, and is a remote or, where it is to be written to, may become one.
  func prepare(_ use: RemoteUse) async throws

  func close() async
}

package enum RemoteUse: Sendable { case reading, writing }

/// A file that is being written.
package protocol RemoteFileWriter: Sendable {
  var size: Int { get async throws }
  func write(_ bytes: [UInt8], at offset: Int) async throws
  func read(_ offset: Int, _ count: Int) async throws -> [UInt8]
  /// Cut to that size, read-only, and on the disk where that can be asked for.
  func finish(size: Int) async throws
  func close() async
}
