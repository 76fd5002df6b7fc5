/// The part of a view that all commands of a run see alike, mounted once, and what each of them needs upon it.
///
/// What is mounted for all is real directories and links. Whatever a command could write to, or that tells of another command, is its own:
/// a directory at the root in which something of a command is to be seen is replaced by an empty one of its own.
struct SharedView: Sendable {
  private let entries: [String: StageView.Entry]
  /// Directories at the root that are there for commands to mount something at.
  private let directories: Set<String>

  /// - Parameter places: what commands will want to see, though not the same of it each.
  init(_ system: StageView, places: [String]) {
    entries = system.entries.filter { Self.isShared($0.value) }
    let own = system.entries.filter { !Self.isShared($0.value) }.keys + places
    let shared = entries
    directories = Set(own.map(Self.top).filter { shared[$0] == nil })
  }

  private static func isShared(_ entry: StageView.Entry) -> Bool {
    switch entry {
    case .readOnly, .devices, .link: true
    case .writable, .empty, .processes: false
    }
  }

  /// `/a` of `/a/b/c`.
  private static func top(_ place: String) -> String { "/" + (place.split(separator: "/", maxSplits: 1).first ?? "") }

  var words: [String] { StageView(entries).words + directories.sorted().flatMap { ["--dir", $0] } }

  /// What makes the shared view `view`; nil when something has to be in the root itself that is not there.
  func words(for view: StageView) -> [String]? {
    var own = view.entries.filter { entries[$0.key] != $0.value }
    var fresh: Set<String> = []
    for (place, entry) in own {
      switch ground(place) {
      case .mount: continue
      case .link: return nil
      case nil: break
      }
      let top = Self.top(place)
      guard directories.contains(top) else { return nil }
      if place == top {
        if case .link = entry { return nil }
      } else if view.entries[top] == nil {
        fresh.insert(top)
      }
    }
    for top in fresh { own[top] = .empty }
    // What is mounted for this command hides what is shared below.
    let places = Set(own.keys)
    for (place, entry) in entries where own[place] == nil && isBelow(places, place) { own[place] = entry }
    return StageView(own).words + fresh.sorted().flatMap { ["--remount-ro", $0] }
  }

  private func isBelow(_ places: Set<String>, _ place: String) -> Bool {
    var above = StageView.parent(place)
    while !above.isEmpty {
      if places.contains(above) { return true }
      above = StageView.parent(above)
    }
    return false
  }

  /// What is shared above a place.
  private func ground(_ place: String) -> Ground? {
    var above = StageView.parent(place)
    while !above.isEmpty {
      switch entries[above] {
      case .readOnly, .devices: return .mount
      case .link: return .link
      default: above = StageView.parent(above)
      }
    }
    return nil
  }

  private enum Ground { case mount, link }
}
