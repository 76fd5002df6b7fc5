import JSONValues

/// Who holds a key's lock: the runner, and the process group that does the work.
package struct LockOwner: Sendable, Equatable {
  package var runner: ProcessIdentity
  /// The leader of the stage's process group, once it has started.
  package var command: ProcessIdentity?
  package var run: String
  package var instance: String

  package init(runner: ProcessIdentity = .current, command: ProcessIdentity? = nil, run: String, instance: String) {
    self.runner = runner
    self.command = command
    self.run = run
    self.instance = instance
  }

  var json: JSONValue {
    var object = JSONObject([("runner", runner.json), ("run", .string(run)), ("instance", .string(instance))])
    if let command { object.set("command", command.json) }
    return .object(object)
  }

  init?(json: JSONValue) {
    guard let runner = ProcessIdentity(json: json["runner"]), let run = json["run"]?.stringValue,
      let instance = json["instance"]?.stringValue
    else { return nil }
    self.init(runner: runner, command: ProcessIdentity(json: json["command"]), run: run, instance: instance)
  }
}
