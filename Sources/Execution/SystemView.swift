import Artifacts
import Glibc

/// What every confined command of a run sees: the system, an empty home, and the programs that PATH leads to.
///
/// Programs may be anywhere: a virtual environment in the project, pyenv or conda at home. A directory on PATH is shown, and the
/// installation it belongs to, and where the links in it lead. Nothing is shown that holds the home directory, the project or the store.
struct SystemView: Sendable {
  private(set) var view = StageView(roads: StageView.Roads())
  private let home: String?
  /// Real paths that must not be shown as a whole, nor anything around them.
  private let hidden: [String]
  private let literalHome: String?

  /// What stands at the root and is the system's. `srv`, `mnt`, `data`, `home` and the like hold data: a stage names what it wants of them.
  private static let directories = [
    "usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "opt", "nix", "gnu", "run", "var", "sys", "snap",
  ]
  /// Names of directories of programs, whose parent is an installation.
  private static let programDirectories: Set<Substring> = ["bin", "sbin", "shims", "condabin"]
  private static let mostPrograms = 5000

  init(variables: [String: String], project: String, store: String) {
    literalHome = variables["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    home = literalHome.flatMap(StageView.realPath)
    hidden = [home, StageView.realPath(project), StageView.realPath(store)].compactMap { $0 }
    for name in Self.directories { view.reveal("/" + name) }
    view["/dev"] = .devices
    view["/dev/shm"] = .empty
    view["/proc"] = .processes
    if StageView.isThere("/run/user") { view["/run/user"] = .empty }
    hide()
    // What it leads to may be outside: WSL keeps it under /mnt.
    view.reveal("/etc/resolv.conf")
    for entry in (variables["PATH"] ?? "").split(separator: ":") where entry.hasPrefix("/") { revealPrograms(String(entry)) }
  }

  private mutating func hide() {
    for path in hidden where view.covers(path) && !Self.directories.contains(where: { StageView.isInside("/" + $0, path) }) {
      view[path] = .empty
    }
    guard let home, let literalHome, home != "/", home != "/tmp", !view.covers(home) else { return }
    _ = view.follow(literalHome)
    view[home] = .empty
    // Caches may be large, and /tmp is on disk.
    view[home + "/.cache"] = .link("/tmp")
  }

  private func isTooWide(_ path: String) -> Bool { hidden.contains { StageView.isInside($0, path) } }

  // MARK: - Programs

  /// A directory on PATH.
  private mutating func revealPrograms(_ directory: String) {
    guard let real = view.follow(directory), !view.covers(real), !isTooWide(real), let names = try? FileSystem.posix.list(real) else {
      return
    }
    revealInstallation(real)
    for name in names.prefix(Self.mostPrograms) where StageView.readLink("\(real)/\(name)") != nil { revealProgram("\(real)/\(name)") }
  }

  /// A program, where its links lead, and the installations on the way.
  mutating func revealProgram(_ path: String) {
    var path = path
    for _ in 0..<16 {
      guard let directory = view.follow(StageView.parent(path)) else { return }
      revealInstallation(directory)
      let place = "\(directory)/\(StageView.name(path))"
      if !view.covers(place), StageView.readLink(place) == nil { view.reveal(place) }
      guard let target = StageView.readLink(place) else { return }
      if !view.covers(place) { view[place] = .link(target) }
      path = target.hasPrefix("/") ? target : "\(directory)/\(target)"
    }
  }

  /// The directory of a program and, where that is the `bin` of an installation, all of it.
  private mutating func revealInstallation(_ directory: String) {
    guard !view.covers(directory), !isTooWide(directory) else { return }
    let prefix = StageView.parent(directory)
    guard Self.programDirectories.contains(StageView.name(directory)), !prefix.isEmpty, !isTooWide(prefix) else {
      return view.reveal(directory)
    }
    if let home, prefix == home + "/.local" {
      // A user's own programs and packages; not what else programs keep beside them.
      for name in ["bin", "lib"] { view.reveal("\(prefix)/\(name)") }
      return
    }
    let marks = ["pyvenv.cfg", "conda-meta", "lib", "lib64", "libexec", "versions"]
    guard marks.contains(where: { StageView.isThere("\(prefix)/\($0)") }) else { return view.reveal(directory) }
    view.reveal(prefix)
    if let base = Self.baseOfEnvironment(prefix) { revealProgram(base + "/python3") }
  }

  /// The directory of the interpreter that a virtual environment was made from: `home = …` in its pyvenv.cfg.
  private static func baseOfEnvironment(_ prefix: String) -> String? {
    guard let bytes = try? FileSystem.posix.read(prefix + "/pyvenv.cfg") else { return nil }
    for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, parts[0].filter({ $0 != " " }) == "home" else { continue }
      let directory = parts[1].drop { $0 == " " }
      return directory.hasPrefix("/") ? String(directory) : nil
    }
    return nil
  }

  // MARK: - What a contract names

  /// Paths that a variable holds, one or several with colons between.
  mutating func revealPaths(in value: String) {
    let value = value.hasPrefix("file://") ? String(value.dropFirst(7)) : value
    for path in value.split(separator: ":") where path.hasPrefix("/") {
      guard let real = StageView.realPath(String(path)), !isTooWide(real) else { continue }
      view.reveal(String(path))
    }
  }

  /// A path of the contract's `visible`.
  mutating func revealVisible(_ path: String) {
    guard path.hasPrefix("~/") else { return view.reveal(path) }
    if let literalHome { view.reveal(literalHome + path.dropFirst(1)) }
  }

  /// An absolute word that names a program.
  mutating func revealWord(_ word: String) {
    guard word.hasPrefix("/"), access(word, X_OK) == 0, let real = StageView.realPath(word), !view.covers(real) || !view.covers(word) else {
      return
    }
    var status = stat()
    guard stat(real, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
    revealProgram(word)
  }
}
