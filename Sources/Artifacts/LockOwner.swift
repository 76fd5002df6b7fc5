import JSONValues

/// Who holds a key's lock: the runner, and the process group that does the work.
package struct LockOwner: Sendable, Equatable {
  /// The job of a queueing system that the runner is.
  package struct Job: Sendable, Equatable {
    /// `slurm`
    package var system: String
    package var cluster: String
    package var id: String

    package init(system: String, cluster: String, id: String) { (self.system, self.cluster, self.id) = (system, cluster, id) }
  }

  package var runner: ProcessIdentity
  /// The leader of the stage's process group, once it has started.
  package var command: ProcessIdentity?
  package var run: String
  package var instance: String
  package var job: Job?

  package init(
    runner: ProcessIdentity = .current, command: ProcessIdentity? = nil, run: String, instance: String, job: Job? = nil
  ) {
    self.runner = runner
    self.command = command
    self.run = run
    self.instance = instance
    self.job = job
  }

  var json: JSONValue {
    var object = JSONObject([("runner", runner.json), ("run", .string(run)), ("instance", .string(instance))])
    if let command { object.set("command", command.json) }
    if let job { object.set("job", job.json) }
    return .object(object)
  }

  init?(json: JSONValue) {
    guard let runner = ProcessIdentity(json: json["runner"]), let run = json["run"]?.stringValue,
      let instance = json["instance"]?.stringValue
    else { return nil }
    self.init(runner: runner, command: ProcessIdentity(json: json["command"]), run: run, instance: instance, job: Job(json: json["job"]))
  }
}

extension LockOwner.Job {
  var json: JSONValue { ["system": .string(system), "cluster": .string(cluster), "id": .string(id)] }

  init?(json: JSONValue?) {
    guard let system = json?["system"]?.stringValue, let cluster = json?["cluster"]?.stringValue, let id = json?["id"]?.stringValue else {
      return nil
    }
    self.init(system: system, cluster: cluster, id: id)
  }
}
