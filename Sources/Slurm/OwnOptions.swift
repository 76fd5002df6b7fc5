/// The options of sbatch that we give ourselves, or that would take from us what we need to know: none of them may stand in a site's
/// `extra`.
enum OwnOptions {
  /// By option, what says it instead.
  private static let options: [String: String] = {
    var options: [String: String] = [:]
    for name in ["account", "partition", "qos", "constraint", "reservation"] { options[name] = "write '\(name):' in the profile" }
    for name in ["gres", "gpus", "gpus-per-node"] { options[name] = "'gpus:' says how GPUs are asked for, a stage's resources how many" }
    for name in ["gpus-per-task", "gpus-per-socket", "cpus-per-task", "ntasks", "nodes", "mem", "mem-per-cpu", "mem-per-gpu"] {
      options[name] = "it comes from a stage's resources, or from 'defaults'"
    }
    for name in ["cpus-per-gpu", "ntasks-per-node", "tasks-per-node", "ntasks-per-core", "ntasks-per-gpu", "ntasks-per-socket"] {
      options[name] = "a job is one task on one node"
    }
    options["time"] = "it comes from a stage's timeout, or from 'defaults'"
    options["signal"] = "'lead' in 'defaults' says when a job is told that its time ends"
    options["export"] = "'environment:' names the variables that jobs get"
    options["export-file"] = options["export"]
    options["get-user-env"] = "'setup:' lines run in a login shell"
    options["exclude"] = "nodes that failed are left out by the run"
    for name in ["array", "dependency", "kill-on-invalid-dep", "job-name", "output", "error", "input", "chdir", "wrap", "open-mode"] {
      options[name] = "it belongs to the run"
    }
    for name in [
      "requeue", "no-requeue", "no-kill", "parsable", "quiet", "verbose", "wait", "test-only", "hold", "help", "usage", "version",
    ] {
      options[name] = "jobs could not be followed with it"
    }
    for name in ["clusters", "uid", "gid", "container"] { options[name] = "jobs could not be followed with it" }
    return options
  }()

  /// Why an option may not stand in `extra`; nil when it may. sbatch takes any beginning of an option's name for the option.
  static func objection(_ flag: String) -> String? {
    if let instead = options[flag] { return SiteText.own(flag, instead) }
    return options.keys.sorted().first { $0.hasPrefix(flag) }.map { SiteText.shortened(flag, $0) }
  }
}
