import Diagnostics
import JSONValues
import Manifests

/// What stands under `stages`, made ready once: contracts found, constants checked, references read.
enum EntryPlan {
  case stage(StagePlan)
  case group(GroupPlan)
  case broken(name: String)

  var name: String {
    switch self {
    case .stage(let stage): stage.entry.name
    case .group(let group): group.entry.name
    case .broken(let name): name
    }
  }
}

/// A group's own words made ready once for all its points.
final class GroupPlan {
  enum Body {
    case entries([EntryPlan])
    case manifest(Use)
  }

  /// A whole manifest, and what it is given.
  struct Use {
    let plan: ManifestPlan
    /// As the manifest writes it: `./other.yaml`.
    let path: Located<String>
    let params: [(name: String, value: Expression, location: SourceLocation)]
    let bindings: [InputBinding]
  }

  /// Steps in order, and what is handed from one to the next.
  struct Scan {
    let entry: ScanEntry
    let carry: [PortPlan]
    /// For each carried name, in their order.
    let then: [PortPlan]
  }

  let entry: ManifestEntry
  let matrix: MatrixEntry?
  let scan: Scan?
  let body: Body

  init(_ entry: ManifestEntry, _ group: GroupEntry, body: Body, _ findings: inout Findings) {
    self.entry = entry
    matrix = group.matrix
    scan = group.scan.map { Self.scan($0, &findings) }
    self.body = body
  }

  /// Names that a reference may take of it as a whole.
  var outputs: [String] {
    let carried = scan?.carry.map(\.name) ?? []
    guard case .manifest(let use) = body else { return carried }
    return carried + use.plan.outputs.map(\.name).filter { name in !carried.contains { $0.hasSameBytes(as: name) } }
  }

  // MARK: - Carrying on

  private static func scan(_ entry: ScanEntry, _ findings: inout Findings) -> Scan {
    let carry = entry.carry.map { PortPlan($0, "'\($0.key)' of 'carry'", &findings) }
    let names = entry.carry.map(\.key)
    for member in entry.then where !names.contains(where: { $0.hasSameBytes(as: member.key) }) {
      let near = NearestName.find(member.key, among: names)
      findings.error(PlanningText.notCarried(member.key), at: member.keyLocation, suggestion: near)
    }
    for member in entry.carry where !entry.then.contains(where: { $0.key.hasSameBytes(as: member.key) }) {
      findings.error(PlanningText.thenLacks(member.key), at: entry.thenLocation)
    }
    let then = carry.map { carried in
      entry.then.first { $0.key.hasSameBytes(as: carried.name) }.map { PortPlan($0, "'\($0.key)' of 'then'", &findings) }
        ?? PortPlan(name: carried.name, sources: carried.sources, isBroken: true)
    }
    return Scan(entry: entry, carry: carry, then: then)
  }
}
