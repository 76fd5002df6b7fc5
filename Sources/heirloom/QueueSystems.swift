import ArgumentParser
import Diagnostics
import Execution
import Planning
import Slurm

/// What `--executor` and a stage's `executor` may name: this machine, Slurm, and clusters that have a profile. A system is one name more
/// here, and one case more in `QueueSystems.open`.
let executorNames = [RunOptions.localExecutor, "slurm"] + profiles.names.filter { !["local", "slurm", "default"].contains($0) }

private let profiles = SiteDirectory(variables: Program.variables)

/// Who runs stages, and what a cluster wants to hear with every job.
struct ExecutorArguments: ParsableArguments {
  @Option(
    help:
      "Who runs stages that do not say it: local, slurm, or a cluster by the name of its profile [default: as the site profile says, else local]; 'local' said here is for all of them."
  )
  var executor: String?
  @OptionGroup var site: SiteArguments

  func apply(to options: inout RunOptions) throws {
    let site = try site.load()
    options.executor = executor ?? site?.executor?.rawValue
    options.queueSystem = QueueSystems(site: site).open
  }
}

struct SiteArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp("A site profile: ~/.config/heirloom/sites/NAME.yaml [default: 'default', if there is one].", valueName: "name"))
  var site: String?

  /// Throws `InvalidRecipe` for a profile that does not exist or is wrong (status 2).
  func load() throws -> Site? { try Self.load(site) }

  static func load(_ name: String? = nil) throws -> Site? {
    let (site, findings) = profiles.site(name)
    if findings.hasErrors { throw InvalidRecipe(diagnostics: findings.sorted) }
    Terminal.warn(findings.sorted)
    return site
  }
}

/// The queueing systems that this program speaks to, by name.
struct QueueSystems: Sendable {
  /// Of the command line; a cluster that is named by its profile has that.
  let site: Site?

  @Sendable func open(_ name: String) throws -> any QueueSystem {
    guard executorNames.dropFirst().contains(name) else {
      throw QueueProblem(.refused, "there is no executor '\(name)'; there is \(executorNames.joined(separator: ", "))")
    }
    let site = name == "slurm" ? site : try SiteArguments.load(name)
    return try SlurmQueue(site: site ?? Site(), variables: Program.variables)
  }
}
