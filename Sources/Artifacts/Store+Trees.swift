import Glibc
import Hashing

extension Store {
  /// Where the bytes of an output can be read: the object, or a directory of links made once. Nil when bytes are missing.
  package func path(of output: StoredOutput) throws(StoreError) -> String? {
    guard output.isDirectory else { return try hasObject(output.digest) ? objectPath(output.digest) : nil }
    return try tree(output.digest)
  }

  /// `trees/<digest>`, made if need be. It appears whole; what it links to is looked at when it is made and not again.
  package func tree(_ digest: Digest) throws(StoreError) -> String? {
    let path = treePath(digest)
    if try files.exists(path) { return path }
    guard let listing = try listing(digest) else { return nil }
    for file in listing.files where try !hasObject(file.digest) { return nil }
    let temporary = path + Self.temporarySuffix()
    do {
      try files.makeDirectory(temporary)
      for directory in listing.emptyDirectories { try files.makeDirectory("\(temporary)/\(directory)") }
      for file in listing.files { try link(file, in: temporary) }
      try files.rename(temporary, to: path)
    } catch {
      try? files.remove(temporary)
      // Somebody else was faster: theirs is the same.
      if try files.exists(path) { return path }
      throw error
    }
    return path
  }

  /// Relative, so that a store can be moved.
  private func link(_ file: TreeListing.File, in tree: String) throws(StoreError) {
    let depth = file.path.utf8.count { $0 == UInt8(ascii: "/") }
    if depth > 0 { try files.makeDirectory(Self.parent(of: "\(tree)/\(file.path)")) }
    try files.symbolicLink("\(tree)/\(file.path)", to: Self.linkTarget(file))
  }

  /// What the link for a file of a tree says: `../../objects/ab/cdef…`, deeper files further up.
  static func linkTarget(_ file: TreeListing.File) -> String {
    let depth = file.path.utf8.count { $0 == UInt8(ascii: "/") }
    return "\(String(repeating: "../", count: depth + 2))objects/\(shard(file.digest))"
  }

  /// The files of the store that an output's bytes are in, to see whether somebody changed them.
  package func objectPaths(of output: StoredOutput) throws(StoreError) -> [(digest: Digest, path: String)] {
    guard output.isDirectory else { return [(output.digest, objectPath(output.digest))] }
    return (try listing(output.digest)?.files ?? []).map { ($0.digest, objectPath($0.digest)) }
  }
}

// MARK: - Views

extension Store {
  package func viewPath(recipe: String, instance: String, output: String) -> String {
    "\(root)/views/\(Self.component(recipe))/\(Self.component(instance))/\(Self.component(output))"
  }

  /// A file name of what may be a long path through groups: one component, for a directory of a group could be in the way of a view.
  private static func component(_ name: String) -> String {
    let text = fileName(name)
    guard text.utf8.count > longestComponent else { return text }
    let start = String(decoding: text.utf8.prefix(longestComponent - 12), as: UTF8.self).prefix { $0 != "\u{FFFD}" && $0 != "%" }
    return "\(start)#\(Digest(hashing: name).hex.prefix(8))"
  }

  /// Linux takes 255 bytes; what is written beside a view for a moment is longer.
  private static let longestComponent = 200

  package enum Showing: Sendable, Equatable {
    case asBefore
    /// The time that the directory of all views of the recipe was given, in nanoseconds since 1970.
    case changed(Int)
    /// The bytes are not here: the last view stays.
    case missing
  }

  /// Makes a view show an output, at once or not at all.
  @discardableResult
  package func show(_ output: StoredOutput, recipe: String, instance: String) throws(StoreError) -> Showing {
    let path = viewPath(recipe: recipe, instance: instance, output: output.name)
    let target = "../../../" + (output.isDirectory ? "trees/\(output.digest.hex)" : "objects/\(Self.shard(output.digest))")
    if files.readLink(path) == target { return .asBefore }
    guard try self.path(of: output) != nil else { return .missing }
    let temporary = path + Self.temporarySuffix()
    try files.makeDirectory(Self.parent(of: path))
    do {
      try files.symbolicLink(temporary, to: target)
      try files.rename(temporary, to: path)
    } catch {
      try? files.remove(temporary)
      throw error
    }
    let now = wallClock()
    try files.touch(viewsPath(recipe), modified: now)
    return .changed(now)
  }

  private func viewsPath(_ recipe: String) -> String { "\(root)/views/\(Self.component(recipe))" }

  /// How the directory of a recipe's views looks; nil when there is none.
  package func viewsStatus(_ recipe: String) throws(StoreError) -> FileStatus? { try files.status(viewsPath(recipe)) }

  private func viewsMarkPath(_ recipe: String) -> String { "\(root)/index/views/\(Self.component(recipe))" }

  /// What the last run wrote down of its views.
  package func viewsMark(_ recipe: String) throws(StoreError) -> String? {
    try files.read(viewsMarkPath(recipe)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Only ever a saving, so a failure is none.
  package func note(viewsMark mark: String, _ recipe: String) {
    let path = viewsMarkPath(recipe)
    let temporary = path + Self.temporarySuffix()
    do throws(StoreError) {
      try files.makeDirectory(Self.parent(of: path))
      try files.write(Array(mark.utf8), to: temporary)
      try files.rename(temporary, to: path)
    } catch { try? files.remove(temporary) }
  }

  /// A name as one component of a path: what a path cannot hold is written as %XX.
  package static func fileName(_ name: String) -> String {
    var text = ""
    for scalar in name.unicodeScalars {
      let isPlain = scalar.value >= 0x20 && scalar.value != 0x7F && scalar != "/" && scalar != "%"
      text.unicodeScalars.append(contentsOf: isPlain ? [scalar] : Array(escape(scalar).unicodeScalars))
    }
    return text == "." || text == ".." || text.isEmpty ? "%" + text : text
  }

  /// The name that `fileName` wrote so.
  package static func name(ofFile text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
    var bytes: [UInt8] = []
    var rest = Substring(text).utf8
    while let byte = rest.popFirst() {
      let digits = String(decoding: rest.prefix(2), as: UTF8.self)
      if byte == UInt8(ascii: "%"), digits.utf8.count == 2, let value = UInt8(digits, radix: 16) {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else if byte != UInt8(ascii: "%") {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String {
    let hex = String(scalar.value, radix: 16, uppercase: true)
    return "%" + (hex.count < 2 ? "0" + hex : hex)
  }
}
