import Artifacts
import CProcesses
import Glibc
import JSONValues

/// What this machine has to share among instances, and what is written down about it beside a result.
package struct Machine: Sendable {
  package var cpus: Int
  package var memoryBytes: Int
  /// As CUDA_VISIBLE_DEVICES names them.
  package var gpus: [String]
  package var processor: String

  package init(cpus: Int, memoryBytes: Int, gpus: [String] = [], processor: String = "unknown") {
    self.cpus = cpus
    self.memoryBytes = memoryBytes
    self.gpus = gpus
    self.processor = processor
  }

  /// This machine, with the GPUs that the caller's CUDA_VISIBLE_DEVICES leaves, or all of NVIDIA's.
  package static func current(environment: [String: String]) -> Machine {
    Machine(
      cpus: max(1, Int(hl_available_processors())), memoryBytes: sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)),
      gpus: devices(environment["CUDA_VISIBLE_DEVICES"]), processor: processorName())
  }

  private static func devices(_ visible: String?) -> [String] {
    if let visible { return visible.split(separator: ",").map { String($0.filter { $0 != " " }) }.filter { !$0.isEmpty && $0 != "-1" } }
    let names = (try? FileSystem.posix.list("/dev")) ?? []
    return names.compactMap { $0.hasPrefix("nvidia") ? Int($0.dropFirst(6)) : nil }.sorted().map(String.init)
  }

  private static func processorName() -> String {
    let text = String(decoding: ((try? FileSystem.posix.read("/proc/cpuinfo")) ?? nil) ?? [], as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") || $0.hasPrefix("Model") }
    guard let name = line?.split(separator: ":", maxSplits: 1).last else { return "unknown" }
    return name.split(separator: " ").joined(separator: " ")
  }

  /// What is recorded with a result: it could have changed the bytes, and is not in the key.
  package func facts(threads: Int, numerics: String) -> JSONObject {
    JSONObject([
      ("host", .string(ProcessIdentity.hostName)), ("cpu", .string(processor)), ("threads", .integer(threads)),
      ("numerics", .string(numerics)),
    ])
  }
}

/// Seconds on a clock that only goes forward.
package func monotonicSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// The environment of this process.
package func callerEnvironment() -> [String: String] {
  var variables: [String: String] = [:]
  var entry = environ
  while let text = entry.pointee {
    let pair = String(cString: text)
    if let equals = pair.firstIndex(of: "=") { variables[String(pair[..<equals])] = String(pair[pair.index(after: equals)...]) }
    entry += 1
  }
  return variables
}
