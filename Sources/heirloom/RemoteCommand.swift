import ArgumentParser
import Execution
import JSONValues
import Remotes

/// `heirloom remote add|list|remove`: what remotes are called.
struct RemoteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remote", abstract: "Name the places that results are pushed to and pulled from.",
    discussion: """
      Names are kept in the project (.heirloom/remotes.yaml) or, with --user, for all projects (~/.config/heirloom/remotes.yaml). Addresses
      only: credentials come from ssh's agent, docker's configuration, AWS profiles and the like.
      """,
    subcommands: [Add.self, List.self, Remove.self], defaultSubcommand: List.self)

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Give an address a name.")

    @Argument(help: "The name.") var name: String
    @Argument(help: "dir:PATH, ssh://[user@]HOST[:PORT]/PATH, oci://REGISTRY/REPOSITORY or s3://BUCKET/PREFIX.") var address: String
    @Flag(help: "For all projects of this user.") var user = false

    func run() throws {
      let whole = try RemoteAddress(address).resolved(from: Program.planning.workingDirectory)
      _ = try whole.open(environment: Program.variables)
      try RemoteArguments.named().add(name, whole, user ? .user : .project)
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the remotes that have a name.")

    @Flag(help: "Print a JSON list.") var json = false

    func run() throws {
      let entries = try RemoteArguments.named().entries()
      if json { return Terminal.say(JSONValue.array(entries.map(\.json)).encoded(pretty: true)) }
      let width = entries.map(\.name.count).max() ?? 0
      for entry in entries {
        let name = entry.name + String(repeating: " ", count: width - entry.name.count)
        Terminal.say("\(name)  \(entry.address)" + (entry.scope == .user ? "  (user)" : ""))
      }
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Take a name away. What lies at its address stays.")

    @Argument(help: "The name.") var name: String

    func run() throws { _ = try RemoteArguments.named().remove(name) }
  }
}
