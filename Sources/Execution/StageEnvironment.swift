import JSONValues
import Planning

/// The environment of a stage: exactly this, whatever else the caller has set.
enum StageEnvironment {
  /// Passed on to every process. `HEIRLOOM_KERNELS` takes kernels away that the CPU has; no byte may depend on it.
  static func base(_ caller: [String: String]) -> [String: String] {
    caller.filter { ["PATH", "HOME", "LANG", "TMPDIR", "HEIRLOOM_KERNELS"].contains($0.key) }
  }

  /// `HEIRLOOM_STAGE` is the path of stage.json, `HEIRLOOM_CHECKPOINT` the checkpoint directory, `HEIRLOOM_EVENTS` the file that events
  /// are appended to, `HEIRLOOM_THREADS` how many threads to use, `HEIRLOOM_LIFELINE` a descriptor at whose end of file to stop.
  static func make(
    _ contract: StageContract, _ parameters: JSONObject, caller: [String: String], orderPath: String, checkpointDirectory: String,
    eventsPath: String, threads: Int,
    gpus: [String], lifeline: Int32
  ) -> [String: String] {
    var variables = base(caller)
    if case .command(let command) = contract.run {
      for name in command.environment + command.keyedEnvironment { variables[name] = caller[name] }
    }
    for name in contract.namedVariables(parameters) where variables[name] == nil { variables[name] = caller[name] }
    variables["CUDA_VISIBLE_DEVICES"] = gpus.joined(separator: ",")
    variables["HEIRLOOM_STAGE"] = orderPath
    variables["HEIRLOOM_CHECKPOINT"] = checkpointDirectory
    variables["HEIRLOOM_EVENTS"] = eventsPath
    variables["HEIRLOOM_THREADS"] = String(threads)
    variables["HEIRLOOM_LIFELINE"] = String(lifeline)
    return variables
  }
}
