import Foundation

/// A relative path that may be made below a directory: nothing in it leads out, and no file system of any kind reads it as another.
///
/// It looks at no file: links that stand in the way are for whoever writes.
package struct EntryPath: Hashable, Sendable {
  package let text: String

  /// What can be taken in on any file system that people use.
  package static let mostBytes = 1024
  package static let mostComponentBytes = 255
  package static let mostComponents = 64

  package init(_ bytes: [UInt8]) throws(SharingError) {
    if let fault = Self.fault(bytes) {
      throw SharingError("\(fault): '\(String(decoding: bytes.prefix(300), as: UTF8.self))'")
    }
    text = String(decoding: bytes, as: UTF8.self)
  }

  package init(_ text: String) throws(SharingError) { try self.init(Array(text.utf8)) }

  private static func fault(_ bytes: [UInt8]) -> String? {
    if bytes.isEmpty { return "the path is empty" }
    if bytes.count > mostBytes { return "the path is longer than \(mostBytes) bytes" }
    if bytes.contains(0) { return "the path holds a NUL" }
    guard let text = String(validating: bytes, as: UTF8.self) else { return "the path is not UTF-8" }
    if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) { return "the path holds a control character" }
    if bytes[0] == UInt8(ascii: "/") { return "the path is absolute" }
    if bytes.contains(UInt8(ascii: "\\")) { return "the path holds a backslash" }
    let components = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    if components.count > mostComponents { return "the path is deeper than \(mostComponents) directories" }
    for component in components {
      if component.isEmpty { return "the path has an empty component" }
      if component.elementsEqual(".".utf8) || component.elementsEqual("..".utf8) { return "the path leaves its directory or names it" }
      if component.count > mostComponentBytes { return "a component of the path is longer than \(mostComponentBytes) bytes" }
    }
    return nil
  }

  /// The same for two paths that some file system takes for one: case and canonical equivalence folded away.
  package var folded: String {
    text.precomposedStringWithCanonicalMapping.lowercased().precomposedStringWithCanonicalMapping
  }

  package var parent: String? { text.lastIndex(of: "/").map { String(text[..<$0]) } }
}

extension EntryPath: Comparable {
  /// In byte order.
  package static func < (left: EntryPath, right: EntryPath) -> Bool { left.text.utf8.lexicographicallyPrecedes(right.text.utf8) }

  package static func == (left: EntryPath, right: EntryPath) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

  package func hash(into hasher: inout Hasher) {
    var copy = text
    copy.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}

/// Paths that have been seen, to refuse the second of a pair that is one file here or elsewhere, and a file where a directory is needed.
package struct PathRegister {
  private var files: Set<String> = []
  private var directories: Set<String> = []

  package init() {}

  package mutating func add(_ path: EntryPath) throws(SharingError) {
    let folded = path.folded
    guard !directories.contains(folded) else { throw SharingError("a file and a directory have one name", at: path.text) }
    guard files.insert(folded).inserted else {
      throw SharingError("the name is there twice, or differs from another only in case or spelling", at: path.text)
    }
    var rest = Substring(folded)
    while let slash = rest.lastIndex(of: "/") {
      rest = rest[..<slash]
      let parent = String(rest)
      guard !files.contains(parent) else { throw SharingError("a file and a directory have one name", at: path.text) }
      if !directories.insert(parent).inserted { break }
    }
  }
}
