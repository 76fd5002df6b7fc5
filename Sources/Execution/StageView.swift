import Glibc
import Synchronization

/// What a confined command sees of the file system: places, and what is there. It knows paths and links, nothing of stages.
///
/// A path is revealed at its real place, with the links that lead there, so that every way of writing it goes on working.
struct StageView: Sendable {
  enum Entry: Sendable, Equatable {
    /// The real path itself, with everything in it.
    case readOnly
    /// The directory that is to be seen there.
    case writable(String)
    case devices
    /// An empty directory that can be written to, in memory.
    case empty
    /// The text of a link.
    case link(String)
    /// This namespace's processes, under /proc.
    case processes
  }

  private(set) var entries: [String: Entry]
  private static let mostLinks = 40
  private let roads: Roads?

  /// - Parameter roads: where directories lead that many views ask for; nil to look anew each time.
  init(_ entries: [String: Entry] = [:], roads: Roads? = nil) { (self.entries, self.roads) = (entries, roads) }

  subscript(place: String) -> Entry? {
    get { entries[place] }
    set { entries[place] = newValue }
  }

  /// Shows a file or directory that is there; what is not is passed over.
  mutating func reveal(_ path: String) {
    guard let real = follow(path), access(real, F_OK) == 0, !covers(real) else { return }
    entries[real] = .readOnly
  }

  /// Where a path leads, showing the links on the way where nothing around shows them yet; nil for a circle.
  mutating func follow(_ path: String) -> String? {
    guard let roads, path.utf8.first == UInt8(ascii: "/") else { return follow(path, from: "") }
    let directory = Self.parent(path)
    if directory.isEmpty { return follow(path, from: "") }
    let road = roads.road(to: directory)
    guard let end = road.end else { return nil }
    for (place, link) in road.links where !covers(place) { entries[place] = link }
    return follow(String(Self.name(path)), from: end == "/" ? "" : end)
  }

  fileprivate mutating func follow(_ path: String, from start: String) -> String? {
    var rest = Self.components(path)
    var here = start
    var links = 0
    while let name = rest.popLast() {
      if name == "." { continue }
      if name == ".." {
        here = Self.parent(here)
        continue
      }
      let next = "\(here)/\(name)"
      guard let target = Self.readLink(next) else {
        here = next
        continue
      }
      links += 1
      guard links <= Self.mostLinks else { return nil }
      if !covers(next) { entries[next] = .link(target) }
      if target.hasPrefix("/") { here = "" }
      rest += Self.components(target)
    }
    return here.isEmpty ? "/" : here
  }

  /// Where directories lead, looked up once: what stages are shown lies in few of them.
  final class Roads: Sendable {
    struct Road {
      /// Nil for a circle.
      let end: String?
      let links: [String: Entry]
    }

    private let known = Mutex<[String: Road]>([:])

    func road(to directory: String) -> Road {
      if let road = known.withLock({ $0[directory] }) { return road }
      var alone = StageView()
      let road = Road(end: alone.follow(directory, from: ""), links: alone.entries)
      known.withLock { $0[directory] = road }
      return road
    }
  }

  /// Whether a real path is seen already, as it is outside.
  func covers(_ path: String) -> Bool {
    var place = path
    while !place.isEmpty {
      switch entries[place] {
      case .readOnly, .devices: return true
      case .writable(let source): return source == place
      case .empty, .processes: return false
      case .link, nil: place = Self.parent(place)
      }
    }
    return false
  }

  /// In bubblewrap's words, parents first.
  var words: [String] {
    let sorted = entries.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    var words: [String] = []
    words.reserveCapacity(3 * sorted.count)
    for (number, (place, entry)) in sorted.enumerated() {
      // A link gives way to what is to be seen in its place.
      if case .link = entry, number + 1 < sorted.count, Self.isInside(sorted[number + 1].key, place) { continue }
      switch entry {
      case .readOnly: words += ["--ro-bind", place, place]
      case .writable(let source): words += ["--bind", source, place]
      case .devices: words += ["--dev-bind", place, place]
      case .empty: words += ["--tmpfs", place]
      case .link(let text): words += ["--symlink", text, place]
      case .processes: words += ["--proc", place]
      }
    }
    return words
  }

  // MARK: - Paths

  /// Last first.
  private static func components(_ path: String) -> [Substring] { path.split(separator: "/").reversed() }

  /// Empty for what stands at the root, and for the root.
  static func parent(_ path: String) -> String { path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "" }

  static func name(_ path: String) -> Substring { path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...] }

  static func readLink(_ path: String) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      let count = readlink(path, start, buffer.count - 1)
      guard count > 0 else { return nil }
      start[count] = 0
      return String(cString: start)
    }
  }

  /// Whether `inner` is `outer` or in it.
  static func isInside(_ inner: String, _ outer: String) -> Bool {
    outer == "/" || inner == outer || (inner.hasPrefix(outer) && inner.utf8.dropFirst(outer.utf8.count).first == UInt8(ascii: "/"))
  }

  static func isThere(_ path: String) -> Bool { access(path, F_OK) == 0 }

  static func realPath(_ path: String) -> String? {
    guard let text = realpath(path, nil) else { return nil }
    defer { free(text) }
    return String(cString: text)
  }
}
