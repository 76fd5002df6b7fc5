import ArgumentParser
import Serving

/// `heirloom serve`: reports over HTTP, live while a run goes on.
struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the runs of a store in a browser, live while they go on.",
    discussion: """
      Reads only. Listens on this machine alone unless --host says otherwise; there is no password, so whoever reaches the port reads \
      everything. Ctrl-C ends it. docs/serve.md has its pages and events.
      """)

  @OptionGroup var store: StoreArguments
  @Option(help: "The port to listen on; 0 takes one that is free.") var port: Int = WebServer.defaultPort
  @Option(help: "The address to listen on.") var host: String = "127.0.0.1"

  func validate() throws {
    guard (0...65535).contains(port) else { throw ValidationError("--port is a number from 0 to 65535") }
  }

  func run() throws {
    try WebServer.runUntilInterrupted(storePath: store.path(), host: host, port: port) { Terminal.say($0) }
    throw ExitCode(130)
  }
}
