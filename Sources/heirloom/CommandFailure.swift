import Artifacts
import Diagnostics
import Execution
import Foundation
import Planning
import Remotes
import Serving
import Sharing

/// What went wrong with a command: what to say on standard error, and the exit status.
struct CommandFailure: Error {
  let text: String
  let status: Int32

  private init(text: String, status: Int32) {
    self.text = text
    self.status = status
  }

  /// The command line is wrong (status 2).
  static func usage(_ message: String) -> CommandFailure { CommandFailure(text: "error: \(message)\n", status: 2) }

  /// What the modules throw, as the command line says it; nil for errors of the argument parser.
  init?(_ error: any Error) {
    switch error {
    case let failure as CommandFailure: self = failure
    case let recipe as InvalidRecipe: self.init(text: Terminal.errors.render(recipe.diagnostics), status: 2)
    case let diagnostic as Diagnostic: self.init(text: Terminal.errors.render([diagnostic]), status: 2)
    case let query as QueryError: self.init(text: "error: \(query)\n", status: 2)
    case let store as StoreError: self.init(text: "error: \(store)\n", status: 3)
    case let remote as RemoteError: self.init(text: "error: \(remote)\n", status: remote.kind == .usage ? 2 : 3)
    case let spawn as SpawnFailure: self.init(text: "error: \(spawn.message)\n", status: 3)
    case let queue as QueueProblem: self.init(text: "error: \(queue)\n", status: queue.kind == .refused ? 2 : 3)
    case let serving as ServingError: self.init(text: "error: \(serving)\n", status: 2)
    case let sharing as SharingError: self.init(text: "error: \(sharing)\n", status: Self.status(sharing.blame))
    default: return nil
    }
  }

  private static func status(_ blame: SharingError.Blame) -> Int32 {
    switch blame {
    case .request: 2
    case .transfer: 3
    case .interruption: 130
    }
  }
}
