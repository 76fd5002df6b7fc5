import Artifacts
import Glibc
import Planning
import StageInterface
import Synchronization

/// How the command stages of one run are started: under the warden, and hermetic ones with a view of their own. What is the same for all
/// of them is found out once, when the first of them starts.
final class Confinement: Sendable {
  /// What the attempt at one command hands over.
  struct Stage {
    let instance: StageInstance
    let command: StageContract.Command
    let isHermetic: Bool
    let work: WorkDirectory
    /// Paths of its inputs as it is told them.
    let inputs: [String]
    /// Sources among them, whose links may lead elsewhere.
    let sources: [SourceContent]
    /// Objects that links in its inputs lead to.
    let objects: [String]
    let gpus: [String]
  }

  /// A command ready to start.
  struct Kept {
    var order: ProcessOrder
    /// What it sees; nil for the whole machine.
    var view: StageView?
    /// Whether it ends with its runner by itself.
    var hasWarden: Bool
    /// Who starts it; nil when it is started as it is.
    var server: WardenServer?
  }

  /// A server, and what its commands share.
  private struct Service {
    let server: WardenServer
    /// Nil when they see the whole machine.
    let shared: SharedView?
  }

  private struct Known {
    var means: Warden.Means?
    var system: SystemView?
    var told = false
    /// By whether commands are hermetic; nil inside when there is none.
    var services: [Bool: Service?] = [:]
    /// By source: what links in it lead to.
    var links: [String: [String]] = [:]
  }

  private let variables: [String: String]
  let project: String
  private let store: Store
  private let warden: Warden?
  private let known = Mutex(Known())
  private static let mostObjects = 512

  init(program: String, variables: [String: String], project: String, store: Store) {
    self.variables = variables
    self.project = project
    self.store = store
    warden = Warden(beside: program)
  }

  // MARK: - What can be done

  /// Why hermetic stages see the whole machine after all; said once in a run, nil when they do not.
  func notice() -> String? {
    guard case .none(let reason) = prepared().means else { return nil }
    return known.withLock { known in
      if known.told { return nil }
      known.told = true
      return "command stages see the whole machine, not only what they declare: \(reason)"
    }
  }

  /// Whether hermetic stages are; only after `notice`, which finds out.
  var confines: Bool {
    known.withLock { known in
      guard let means = known.means else { return false }
      if case .none = means { return false }
      return true
    }
  }

  private func prepared() -> (means: Warden.Means, system: SystemView) {
    known.withLock { known in
      if let means = known.means, let system = known.system { return (means, system) }
      let system = SystemView(variables: variables, project: project, store: store.root)
      let means =
        warden?.means(system.view, searchPath: variables["PATH"] ?? "/usr/bin:/bin") ?? .none("\(Warden.name) is not beside the program")
      (known.means, known.system) = (means, system)
      return (means, system)
    }
  }

  // MARK: - Starting

  /// The order for a command, rewritten so that the warden starts it.
  ///
  /// - Parameter mayServe: a server, if there is one; without it the warden is started for this command alone.
  func keep(_ order: ProcessOrder, _ stage: Stage?, lifeline: Int32, mayServe: Bool = true) throws -> Kept {
    guard let warden, let stage else { return Kept(order: order, view: nil, hasWarden: false) }
    var words = ["--lifeline", String(lifeline), "--program", try order.program(), "--chdir", order.directory]
    for name in stage.command.environment + stage.command.keyedEnvironment {
      guard let value = variables[name], let mask = Secrets.mask(name, value) else { continue }
      words += ["--mask", mask]
    }
    var kept = Kept(order: order, view: nil, hasWarden: true)
    var means = Warden.Means.none("")
    if stage.isHermetic {
      let system: SystemView
      (means, system) = prepared()
      if case .none = means {
      } else {
        kept.view = try self.view(stage, system, order)
        if order.environment["TMPDIR"] != nil { kept.order.environment["TMPDIR"] = "/tmp" }
      }
    }
    if mayServe, let service = service(isHermetic: kept.view != nil, means), let own = Self.words(service, means, kept.view) {
      kept.server = service.server
      words += own
    } else {
      words = [warden.path] + words + (kept.view.map { Self.words(means, $0) } ?? [])
    }
    kept.order.words = words + ["--"] + order.words
    return kept
  }

  /// What a server's command is told of its view; nil when the server's own is no ground for it.
  private static func words(_ service: Service, _ means: Warden.Means, _ view: StageView?) -> [String]? {
    guard let view else { return [] }
    guard let own = service.shared?.words(for: view) else { return nil }
    return ["--confine"] + (means == .sharedProcesses ? ["--share-pid"] + Warden.sharing(own) : own)
  }

  /// Started with the first command that wants it.
  private func service(isHermetic: Bool, _ means: Warden.Means) -> Service? {
    if case .bubblewrap = means { return nil }
    return known.withLock { known in
      if let service = known.services[isHermetic] { return service }
      let service = makeService(isHermetic ? known.system?.view : nil, means)
      known.services[isHermetic] = .some(service)
      return service
    }
  }

  private func makeService(_ system: StageView?, _ means: Warden.Means) -> Service? {
    guard let warden else { return nil }
    let shared = system.map { SharedView($0, places: [project, store.root, "/tmp", "/var/tmp"].compactMap(StageView.realPath)) }
    var words: [String] = []
    if let shared { words = ["--confine"] + (means == .sharedProcesses ? ["--share-pid"] : []) + shared.words }
    guard let server = try? WardenServer(path: warden.path, words: words) else { return nil }
    return Service(server: server, shared: shared)
  }

  private static func words(_ means: Warden.Means, _ view: StageView) -> [String] {
    switch means {
    case .namespaces: ["--confine"] + view.words
    case .sharedProcesses: ["--confine", "--share-pid"] + Warden.sharing(view.words)
    case .bubblewrap(let path): ["--confine", "--bwrap", path] + view.words
    case .none: []
    }
  }

  // MARK: - One stage's view

  private func view(_ stage: Stage, _ system: SystemView, _ order: ProcessOrder) throws(StoreError) -> StageView {
    var system = system
    for name in stage.command.environment + stage.command.keyedEnvironment {
      if let value = variables[name] { system.revealPaths(in: value) }
    }
    for path in stage.command.visible { system.revealVisible(path) }
    for word in order.words { system.revealWord(word) }
    var view = system.view
    let contract = stage.instance.contract
    view.reveal(contract.directory)
    for source in stage.command.sources { view.reveal(source.hasPrefix("/") ? source : "\(contract.directory)/\(source)") }
    for path in stage.inputs { view.reveal(path) }
    for source in stage.sources where source.isDirectory { for path in links(of: source) { view.reveal(path) } }
    if stage.objects.count > Self.mostObjects {
      view.reveal(store.root + "/objects")
    } else {
      for path in stage.objects { view.reveal(path) }
    }
    // For one's own use, gone with the work directory.
    let temporary = stage.work.path + "/tmp"
    try store.files.makeEmptyDirectory(temporary)
    guard let work = view.follow(stage.work.path) else { return view }
    view[work] = .writable(work)
    for place in ["/tmp", "/var/tmp"] where StageView.isThere(place) && StageView.readLink(place) == nil {
      view[place] = .writable(work + "/tmp")
    }
    if !stage.gpus.isEmpty { view.reveal("/tmp/nvidia-mps") }
    return view
  }

  /// Files and directories in a source that are links, as they often are in a directory of a model. Looked for once a run.
  private func links(of source: SourceContent) -> [String] {
    let files = source.files.keys
    guard let first = files.min() else { return [] }
    if let links = known.withLock({ $0.links[first] }) { return links }
    let directories = Set(files.map(StageView.parent))
    let links = (Array(files) + Array(directories)).filter { StageView.readLink($0) != nil }.sorted()
    known.withLock { $0.links[first] = links }
    return links
  }
}
