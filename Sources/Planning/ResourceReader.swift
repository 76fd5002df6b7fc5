import Diagnostics
import JSONValues
import Manifests

/// Reads `resources: {cpus: 2, memory: 8GiB, gpus: 0}` of a contract or a stage.
enum ResourceReader {
  /// What the node says over what holds without it; nil when something in it is wrong.
  static func read(_ node: Node, _ scope: Scope, over initial: Resources, _ findings: inout Findings) -> Resources? {
    guard var reader = MappingReader(node, "'resources'", &findings) else { return nil }
    let (cpus, memory, gpus) = (reader.take("cpus"), reader.take("memory"), reader.take("gpus"))
    reader.finish(&findings)
    var resources = initial
    var isSound = true
    if let cpus {
      let count = SettingReader.count(cpus, "cpus", atLeast: 1, scope, &findings)
      if let count { resources.cpus = count } else { isSound = false }
    }
    if let gpus {
      let count = SettingReader.count(gpus, "gpus", atLeast: 0, scope, &findings)
      if let count { resources.gpus = count } else { isSound = false }
    }
    if let memory {
      let bytes = SettingReader.memory(memory, scope, &findings)
      if let bytes { (resources.memoryBytes, resources.isMemoryStated) = (bytes, true) } else { isSound = false }
    }
    return isSound ? resources : nil
  }
}
