import ArgumentParser
import Artifacts
import Execution
import Foundation
import Remotes

/// Which remote, and how it is spoken to.
struct RemoteArguments: ParsableArguments {
  @Argument(help: "A remote's name (heirloom remote list), or its address: dir:PATH, ssh://HOST/PATH, oci://…, s3://….") var remote: String
  @Option(help: "Files at once.") var jobs = 4

  func validate() throws {
    if !(1...64).contains(jobs) { throw ValidationError("--jobs must be from 1 to 64, not \(jobs)") }
  }

  /// Does work with the remote, on threads of its own, and ends the connection.
  func transfer<Result: Sendable>(
    _ store: Store, _ task: TaskArguments, _ work: @escaping @Sendable (Transfer) async throws -> Result
  ) throws -> Result {
    try Self.transfer(Self.address(remote), store, task, jobs: jobs, work)
  }

  static func transfer<Result: Sendable>(
    _ address: RemoteAddress, _ store: Store, _ task: TaskArguments, jobs: Int = 4,
    _ work: @escaping @Sendable (Transfer) async throws -> Result
  ) throws -> Result {
    try task.watch { meter in try transfer(address, store, on: meter, jobs: jobs, work) }
  }

  static func transfer<Result: Sendable>(
    _ address: RemoteAddress, _ store: Store, on meter: WorkMeter, jobs: Int = 4,
    _ work: @escaping @Sendable (Transfer) async throws -> Result
  ) throws -> Result {
    let opened = try open(address, store)
    let threads = RemoteThreads(4 * jobs + 8)
    let transfer = Transfer(opened, store, on: threads, jobs: jobs, meter: meter)
    return try threads.wait {
      do {
        let result = try await work(transfer)
        await opened.close()
        return result
      } catch {
        await opened.close()
        throw error
      }
    }
  }

  /// What the address says the run is called there.
  func tag() throws -> String? { try Self.address(remote).tag }

  static func address(_ text: String) throws -> RemoteAddress {
    try named().address(text, from: Program.planning.workingDirectory)
  }

  static func open(_ address: RemoteAddress, _ store: Store) throws -> any Remote {
    try address.open(environment: Program.variables, notes: "\(store.root)/incoming")
  }

  static func named() -> NamedRemotes {
    let project = Program.planning.projectDirectory(for: Program.planning.workingDirectory)
    return NamedRemotes(project: project, environment: Program.variables)
  }
}

/// A remote beside a run.
struct ExchangeArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Look results up there before stages run.", valueName: "remote")) var remote: String?
  @Flag(help: "With --remote: give it what was computed, too.") var publish = false

  func validate() throws {
    if publish, remote == nil { throw ValidationError("--publish needs --remote") }
  }

  func exchange(_ storePath: String) throws -> RunExchange? {
    guard let remote else { return nil }
    let uses: RunExchange.Uses = publish ? [.lookUp, .publish] : .lookUp
    let store = try Store.open(storePath)
    return RunExchange(try RemoteArguments.open(RemoteArguments.address(remote), store), store, on: RemoteThreads(64), uses)
  }

  /// Waits for what is still being published.
  static func finish(_ exchange: RunExchange?, _ style: TaskProgress.Style) {
    guard let exchange else { return }
    let published = TaskProgress.during(exchange.meter, style) { exchange.finish() }
    for notice in exchange.notices() { StandardError.line("note: \(notice)") }
    if published > 0, case .silent = style { return }
    if published > 0 { StandardError.line("published \(Count.text(published, "result"))") }
  }
}
