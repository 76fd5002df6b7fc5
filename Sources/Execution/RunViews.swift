import Artifacts
import Hashing

/// The views of a recipe while it runs.
///
/// A run in which nothing has to be done would look at thousands of links to find them right. So they wait until something has to run or
/// the run is over; and if they are then what the last run left, in a directory that nobody touched since, none is looked at. That is
/// written down in `index/views/<recipe>`, derived like all of `index/`: lost, it costs a look at every link. Whoever changes a view sets
/// the directory's time, so a run that was killed amid its changes, or one of other parameters beside this one, is noticed.
struct RunViews {
  private let store: Store
  private let recipe: String
  private var waits = true
  private var waiting: [(instance: String, outputs: [StoredOutput])] = []
  /// What the views show, in words: an instance, and its outputs' digests.
  private var shown: [String] = []
  /// The directory's time as this run left it; nil when there was none.
  private var modified: Int?
  /// Bytes were not here, or somebody else changed views while this run did: nothing is written down.
  private var isIncomplete = false

  init(store: Store, recipe: String) {
    self.store = store
    self.recipe = recipe
  }

  mutating func show(_ outputs: [StoredOutput], of instance: String) throws(StoreError) {
    var text = instance
    for output in outputs { text += "\n\(output.name) \(output.digest.hex)" }
    shown.append(text)
    if waits { return waiting.append((instance, outputs)) }
    try put(outputs, instance)
  }

  /// Shows what waited, and whatever comes from now on at once.
  mutating func showWaiting() throws(StoreError) {
    waits = false
    modified = try store.viewsStatus(recipe)?.modified
    for (instance, outputs) in waiting { try put(outputs, instance) }
    waiting = []
  }

  /// Whether views that `end` handed out are what is still shown.
  static func stand(_ mark: String, recipe: String, in store: Store) throws(StoreError) -> Bool {
    guard let status = try store.viewsStatus(recipe) else { return false }
    guard mark.hasSuffix(Self.mark("", status)) else { return false }
    return try store.viewsMark(recipe) == mark
  }

  /// The run is over: its views are right. Hands out what says so; nil when nothing can.
  mutating func end() throws(StoreError) -> String? {
    let fingerprint = Digest(hashing: Array(shown.sorted().joined(separator: "\n\n").utf8)).hex
    if waits {
      if let status = try store.viewsStatus(recipe), try store.viewsMark(recipe) == Self.mark(fingerprint, status) {
        return Self.mark(fingerprint, status)
      }
      try showWaiting()
    }
    guard !isIncomplete, let status = try store.viewsStatus(recipe), status.modified == modified else { return nil }
    let mark = Self.mark(fingerprint, status)
    store.note(viewsMark: mark, recipe)
    return mark
  }

  private mutating func put(_ outputs: [StoredOutput], _ instance: String) throws(StoreError) {
    for output in outputs {
      let before = try store.viewsStatus(recipe)?.modified
      switch try store.show(output, recipe: recipe, instance: instance) {
      case .asBefore: break
      case .missing: isIncomplete = true
      case .changed(let now):
        if before != modified { isIncomplete = true }
        modified = now
      }
    }
  }

  private static func mark(_ fingerprint: String, _ status: FileStatus) -> String { "\(fingerprint) \(status.inode) \(status.modified)\n" }
}
