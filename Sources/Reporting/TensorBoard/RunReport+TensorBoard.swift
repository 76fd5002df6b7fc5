import Artifacts
import Hashing

extension RunReport {
  /// The curves as TensorBoard reads them: a directory for each training, which it calls a run, with one event file. A function of the
  /// records: every event has the time at which the run began, for no record says when a step was.
  package var tensorBoardFiles: [(path: String, bytes: [UInt8])] {
    curves.map { set in
      var file = EventFile(time: overview.started)
      for (step, scalars) in Self.steps(set) { file.add(step: step, time: overview.started, scalars) }
      let seconds = overview.started.isFinite ? String(Int(min(max(overview.started, 0), 9_999_999_999))) : "0"
      let name = "events.out.tfevents.\(String(repeating: "0", count: 10 - seconds.count))\(seconds).heirloom"
      return (Self.directory(set.instance) + "/" + name, file.bytes)
    }
  }

  private static func steps(_ set: CurveSet) -> [(step: Int, scalars: [(tag: String, value: Double)])] {
    var steps: [Int: [(tag: String, value: Double)]] = [:]
    for series in set.series {
      let tag = series.name.printable(most: 200)
      for point in series.points { steps[point.step, default: []].append((tag, point.value)) }
    }
    return steps.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// One component of a path that no other instance has.
  private static func directory(_ instance: String) -> String {
    let name = Store.fileName(instance)
    guard name.utf8.count > 200 else { return name }
    return String(decoding: name.utf8.prefix(180), as: UTF8.self).filter { $0 != "\u{FFFD}" } + "#"
      + Digest(hashing: instance).hex.prefix(8)
  }
}
