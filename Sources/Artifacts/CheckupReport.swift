import Hashing
import JSONValues

/// What a checkup of a store found. A bit that flipped, a result that says something else than its key, a link to elsewhere: that is damage.
/// Bytes that were collected, objects that nothing speaks of and what a killed process left lying are none; they are counted.
package struct CheckupReport: Sendable {
  /// What is wrong in one place.
  package struct Damage: Sendable, Equatable {
    package enum Kind: String, Sendable { case object, result, tree, index, pin, directory }

    package let kind: Kind
    /// Relative to the store.
    package let path: String
    /// Of a damaged object, the digest it should have.
    package let digest: Digest?
    package let message: String
    /// The outputs that these bytes are, or are in: to be computed again.
    package internal(set) var holders: [Holder] = []
    /// Results that were computed from these bytes. They are what they were: whether the damage was there then, nobody can tell.
    package internal(set) var users: [Holder] = []
    package internal(set) var isMended = false

    init(_ kind: Kind, _ path: String, _ message: String, digest: Digest? = nil) {
      self.kind = kind
      self.path = path
      self.digest = digest
      self.message = message
    }
  }

  /// An output of a result, or with no output its log or the whole result.
  package struct Holder: Sendable, Equatable {
    package let recipe: String
    package let instance: String
    package let output: String?
    package let key: Digest

    /// `tuned[1e-3].model of tiny`
    package var text: String { "\(instance)\(output.map { ".\($0)" } ?? "") of \(recipe)" }
  }

  package internal(set) var objects = 0
  /// Bytes that were hashed.
  package internal(set) var bytes = 0
  package internal(set) var results = 0
  package internal(set) var trees = 0
  package internal(set) var views = 0
  package internal(set) var damage: [Damage] = []
  /// Results whose bytes are not all here: collected, or not kept. Legal.
  package internal(set) var resultsWithoutBytes = 0
  /// Views that lead to bytes that are not here.
  package internal(set) var danglingViews = 0
  /// Objects that no result speaks of: of a run that goes on or was killed, or of an input's listing. For `gc`.
  package internal(set) var orphans = 0
  package internal(set) var orphanBytes = 0
  /// Paths of temporary files and of work directories that nobody is at, relative to the store. For `gc`.
  package internal(set) var leftovers: [String] = []

  package var isClean: Bool { damage.isEmpty }

  /// 0 when nothing is wrong, or nothing any more; 3 when something is.
  package var exitStatus: Int32 { damage.allSatisfy(\.isMended) ? 0 : 3 }
}

// MARK: - Words

extension CheckupReport {
  package var json: JSONValue {
    [
      "objects": .integer(objects), "bytes": .integer(bytes), "results": .integer(results), "trees": .integer(trees),
      "views": .integer(views), "damage": .array(damage.map(\.json)), "results_without_bytes": .integer(resultsWithoutBytes),
      "dangling_views": .integer(danglingViews), "orphans": .integer(orphans), "orphan_bytes": .integer(orphanBytes),
      "leftovers": .array(leftovers.map(JSONValue.string)),
    ]
  }

  package var lines: [String] {
    var lines = damage.flatMap(\.lines)
    lines.append(
      "checked \(Count.text(objects, "object")) (\(ByteCount.text(bytes))), \(Count.text(results, "result")), "
        + "\(Count.text(trees, "tree")), \(Count.text(views, "view"))")
    if resultsWithoutBytes > 0 {
      lines.append("\(Count.text(resultsWithoutBytes, "result")) without all bytes: collected or not kept, computed again when needed")
    }
    if orphans > 0 { lines.append("\(Count.text(orphans, "object")) that no result speaks of (\(ByteCount.text(orphanBytes)))") }
    if !leftovers.isEmpty { lines.append("\(Count.text(leftovers.count, "leftover")) of runs that were killed") }
    if damage.isEmpty {
      lines.append("no damage")
    } else if damage.allSatisfy(\.isMended) {
      lines.append("\(Count.text(damage.count, "damaged place")), set aside or mended: the next run computes again what is missing")
    } else {
      let left = damage.count { !$0.isMended }
      lines.append("\(Count.text(left, "damaged place")); `heirloom fsck --repair` sets it aside, so that it is computed again")
    }
    return lines
  }
}

extension CheckupReport.Damage {
  private static let shown = 8

  var json: JSONValue {
    [
      "kind": .string(kind.rawValue), "path": .string(path), "digest": digest.map { .string($0.text) } ?? .null,
      "message": .string(message), "outputs": .array(holders.map(\.json)), "made_from_it": .array(users.map(\.json)),
      "mended": .bool(isMended),
    ]
  }

  var lines: [String] {
    var lines = ["damaged \(kind.rawValue): \(path): \(message)"]
    lines += holders.prefix(Self.shown).map { "  is in \($0.text)" }
    if holders.count > Self.shown { lines.append("  and in \(holders.count - Self.shown) more") }
    lines += users.prefix(Self.shown).map { "  was an input of \($0.text)" }
    if users.count > Self.shown { lines.append("  and of \(users.count - Self.shown) more") }
    return lines
  }
}

extension CheckupReport.Holder {
  var json: JSONValue {
    [
      "recipe": .string(recipe), "instance": .string(instance), "output": output.map { .string($0) } ?? .null, "key": .string(key.text),
    ]
  }
}
