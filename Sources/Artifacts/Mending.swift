import Hashing

/// Takes what a checkup found out of the way, so that the next run makes it again.
struct Mending {
  let store: Store

  func mend(_ report: inout CheckupReport) throws(StoreError) {
    var lost: Set<Digest> = []
    for place in report.damage.indices {
      let damage = report.damage[place]
      switch damage.kind {
      case .object:
        // First what is lost, then the loss: after a crash between the two it is only looked for in vain.
        let outputs = try self.outputs(damage)
        if !outputs.isSubset(of: lost) { try store.note(lostOutputs: outputs) }
        lost.formUnion(outputs)
        try setAside(damage.path)
      case .result, .pin: try setAside(damage.path)
      case .tree:
        try setAside(damage.path)
        if let digest = Digest(String(damage.path.dropFirst("trees/".count))) { _ = try store.tree(digest) }
      case .index: try store.results.rewrite()
      case .directory: try store.files.makeDirectory("\(store.root)/\(damage.path)")
      }
      report.damage[place].isMended = true
    }
  }

  /// Digests of the outputs that answer for their key and lose bytes.
  private func outputs(_ damage: CheckupReport.Damage) throws(StoreError) -> Set<Digest> {
    var digests: Set<Digest> = []
    for holder in damage.holders {
      guard let name = holder.output, let record = try? store.result(holder.key) else { continue }
      if let output = ResultSummary(record).output(name) { digests.insert(output.digest) }
    }
    return digests
  }

  private func setAside(_ path: String) throws(StoreError) {
    let name = String(path.map { $0 == "/" ? "-" : $0 })
    try store.files.makeDirectory(store.root + "/damaged")
    guard try store.files.exists("\(store.root)/\(path)") else { return }
    try store.files.rename("\(store.root)/\(path)", to: "\(store.root)/damaged/\(name)\(Store.temporarySuffix())")
  }
}

// MARK: - What has to be computed again

extension Store {
  private var lostPath: String { root + "/damaged/outputs" }

  /// Outputs that lost bytes to damage. A run computes them again even where their digests would do, for people look at them.
  package func lostOutputs() throws(StoreError) -> Set<Digest> {
    guard let bytes = try files.read(lostPath) else { return [] }
    return Set(bytes.split(separator: 0x0A).compactMap { Digest(String(decoding: $0, as: UTF8.self)) })
  }

  /// Adds to the list, and forgets what is whole again.
  func note(lostOutputs digests: Set<Digest>) throws(StoreError) {
    let all = try lostOutputs().union(digests)
    try files.makeDirectory(root + "/damaged")
    try publish(Array(all.sorted().map { $0.hex + "\n" }.joined().utf8), to: lostPath)
  }
}
