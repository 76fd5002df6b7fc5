import Artifacts
import Hashing
import Planning

/// How many records an output holds, or is about, as far as that can be told before it is made: by the parameter that its contract names,
/// from the result in the store, and of scores by the suite that their stage is given.
struct RecordCounts {
  private let graph: InstanceGraph
  private let judge: Judge
  private var known: [String: Int?] = [:]

  init(graph: InstanceGraph, judge: Judge) {
    self.graph = graph
    self.judge = judge
  }

  mutating func count(_ source: ElementSource) -> Int? {
    guard case .output(let index, let output) = source else { return nil }
    let name = "\(index).\(output)"
    if let count = known[name] { return count }
    let count = find(graph.instances[index], output)
    known[name] = count
    return count
  }

  private mutating func find(_ instance: StageInstance, _ output: String) -> Int? {
    guard let declaration = instance.contract.output(output) else { return nil }
    if let count = counted(instance.index, output) { return count }
    if let parameter = declaration.records { return instance.parameters[parameter]?.integerValue }
    guard declaration.type == .scores else { return nil }
    // Scores are of the suite that the stage was given, or of its first records.
    let suite = instance.inputs.first { $0.declaration.types.contains(.suite) }?.elements.first
    guard let suite, let count = count(suite.source) else { return nil }
    return min(count, instance.parameters["limit"]?.integerValue ?? count)
  }

  /// The lines of a dataset or a suite that is in the store.
  private func counted(_ index: Int, _ name: String) -> Int? {
    guard let output = judge.result(index)?.output(name), output.type == "dataset" || output.type == "suite" else { return nil }
    var digest = output.digest
    if output.isDirectory {
      guard let listing = try? judge.store.listing(digest), let file = listing.files.first(where: { $0.path == "records.jsonl" }) else {
        return nil
      }
      digest = file.digest
    }
    guard let bytes = try? judge.store.object(digest) else { return nil }
    return bytes.split(separator: UInt8(ascii: "\n")).count
  }
}
