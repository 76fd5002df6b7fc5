import Artifacts
import Glibc
import Synchronization

/// The small program that keeps a command (`Sources/Warden`): how it is found, and what it is able to do on this machine.
struct Warden: Sendable {
  /// How far commands can be confined here.
  enum Means: Sendable, Equatable {
    /// Namespaces of its own, processes among them.
    case namespaces
    /// The kernel gives no /proc for a namespace of processes, as in many containers: files are confined, processes are not.
    case sharedProcesses
    /// What the kernel forbids to us it may allow to bubblewrap.
    case bubblewrap(String)
    /// Not at all, and why.
    case none(String)
  }

  static let name = "heirloom-warden"
  let path: String

  /// Beside the program that runs native stages; nil when it is not there.
  init?(beside program: String) {
    path = (StageView.realPath(program).map(StageView.parent) ?? StageView.parent(program)) + "/" + Self.name
    guard access(path, X_OK) == 0 else { return nil }
  }

  /// Tried with the view that the commands of a run get: the first that works.
  func means(_ view: StageView, searchPath: String) -> Means {
    let words = ["--confine"] + view.words
    let refusal: String
    switch check(words) {
    case .success: return .namespaces
    case .failure(let failure): refusal = failure.message
    }
    if case .success = check(["--share-pid"] + Self.sharing(words)) { return .sharedProcesses }
    for directory in searchPath.split(separator: ":") where access("\(directory)/bwrap", X_OK) == 0 {
      let bubblewrap = "\(directory)/bwrap"
      if case .success = check(["--bwrap", bubblewrap, "--program", "/bin/true"] + words, command: ["true"]) {
        return .bubblewrap(bubblewrap)
      }
    }
    return .none(refusal)
  }

  /// The caller's /proc in place of one of its own.
  static func sharing(_ words: [String]) -> [String] {
    guard let place = words.firstIndex(of: "--proc") else { return words }
    return Array(words[..<place]) + ["--dev-bind", "/proc", "/proc"] + Array(words[(place + 2)...])
  }

  /// Starts it with nothing to do; its complaint when it cannot.
  private func check(_ words: [String], command: [String] = []) -> Result<Void, SpawnFailure> {
    do throws(SpawnFailure) {
      let ends = try Lifeline.pipe()
      defer { close(ends.read) }
      let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
      defer { close(nothing) }
      let child = ChildProcess()
      let order = ProcessOrder(
        words: [path] + (command.isEmpty ? ["--check"] : []) + words + ["--"] + command, directory: "/", environment: [:],
        descriptors: [(nothing, 0), (nothing, 1), (ends.write, 2)])
      do { _ = try child.start(order) } catch {
        close(ends.write)
        throw error
      }
      close(ends.write)
      let end = child.wait()
      var text = [UInt8](repeating: 0, count: 512)
      let count = max(0, read(ends.read, &text, text.count))
      guard end == .exited(0) else {
        let said = String(decoding: text[..<count].prefix { $0 != 0x0A }, as: UTF8.self)
        let prefix = Self.name + ": "
        return .failure(SpawnFailure(message: said.hasPrefix(prefix) ? String(said.dropFirst(prefix.count)) : said))
      }
      return .success(())
    } catch { return .failure(error) }
  }
}
