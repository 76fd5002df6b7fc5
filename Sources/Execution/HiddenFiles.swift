import Artifacts
import Glibc

/// What the log of a failed hermetic stage mentions that is on this machine but not in the stage's view: most often an input that nobody
/// declared. It knows texts and paths, and asks the disk which of them are there.
struct HiddenFiles {
  let view: StageView
  let project: String
  let work: String

  private static let most = 4
  /// So much of the end of a log is looked at.
  static let tailBytes = 65536

  /// A sentence for the error, without its end; nil when the log mentions nothing hidden.
  func remark(_ log: [UInt8]) -> String? { mention(log) ?? missingModule(log) }

  private func mention(_ log: [UInt8]) -> String? {
    var inProject: [String] = []
    var elsewhere: [String] = []
    for word in Self.words(log.suffix(Self.tailBytes)) {
      guard let path = hidden(word), let root = StageView.realPath(project) else { continue }
      let isOurs = StageView.isInside(path, root) && path != root
      let shown = isOurs ? "." + path.dropFirst(root == "/" ? 0 : root.count) : path
      if isOurs, !inProject.contains(shown) { inProject.append(shown) }
      if !isOurs, !elsewhere.contains(shown) { elsewhere.append(shown) }
    }
    if !inProject.isEmpty {
      let rest =
        inProject.count == 1 ? "is in the project but not an input of this stage" : "are in the project but not inputs of this stage"
      return "the log mentions \(Self.joined(inProject)), which \(rest)"
    }
    return elsewhere.isEmpty ? nil : "the log mentions \(Self.joined(elsewhere)), which a hermetic stage does not see"
  }

  private static func joined(_ paths: [String]) -> String {
    let shown = paths.prefix(most).joined(separator: ", ")
    return paths.count > most ? "\(shown) and \(paths.count - most) more" : shown
  }

  /// The real path of what a word names, when it is there and the stage could not see it.
  private func hidden(_ word: String) -> String? {
    if word.hasPrefix("/") { return hiddenPath(word) }
    if let path = hiddenPath("\(work)/\(word)") { return path }
    if StageView.isThere("\(work)/\(word)") { return nil }
    if word.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ".") }) { return hiddenPath("\(project)/\(word)") }
    return nil
  }

  private func hiddenPath(_ path: String) -> String? {
    guard let real = StageView.realPath(path), real != "/", !view.covers(real), !holdsSomethingSeen(real) else { return nil }
    return real
  }

  /// A directory on the way to what is seen was there, if not all of it.
  private func holdsSomethingSeen(_ path: String) -> Bool { view.entries.keys.contains { StageView.isInside($0, path) } }

  /// What could be a path: runs of the bytes that paths are made of, without the full stops and colons at their ends.
  private static func words(_ log: ArraySlice<UInt8>) -> [String] {
    var words: [String] = []
    var seen: Set<String> = []
    for piece in log.split(whereSeparator: { !isOfPath($0) }) {
      var piece = piece
      while let last = piece.last, [UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: ",")].contains(last) { piece.removeLast() }
      while let first = piece.first, first == UInt8(ascii: ":") || first == UInt8(ascii: "=") { piece.removeFirst() }
      guard piece.count > 1, piece.count < 1024 else { continue }
      let word = String(decoding: piece, as: UTF8.self)
      if seen.insert(word).inserted { words.append(word) }
      // `--data=x.json`, `x.py:3`
      for part in piece.split(whereSeparator: { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ":") })
      where part.count < piece.count && part.count > 1 {
        let part = String(decoding: part, as: UTF8.self)
        if seen.insert(part).inserted { words.append(part) }
      }
    }
    return words
  }

  private static func isOfPath(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...: true
    default: "/._-+@%=~:".utf8.contains(byte)
    }
  }
}

extension HiddenFiles {
  /// `No module named 'helpers'`, and ./helpers.py is there.
  private func missingModule(_ log: [UInt8]) -> String? {
    let text = String(decoding: log.suffix(Self.tailBytes), as: UTF8.self)
    guard let found = text.ranges(of: "No module named '").last else { return nil }
    let name = text[found.upperBound...].prefix { $0 != "'" && $0 != "." }
    guard !name.isEmpty, !name.contains("/") else { return nil }
    for place in ["\(name).py", "\(name)/__init__.py", "src/\(name)/__init__.py"] where hiddenPath("\(project)/\(place)") != nil {
      return "./\(place) is in the project, but not beside the contract nor an input of this stage"
    }
    return nil
  }
}
