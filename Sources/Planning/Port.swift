import Diagnostics
import JSONValues
import Manifests

/// A name that stands for references: what a scan carries, an input or an output of a manifest.
struct PortPlan {
  let name: String
  let sources: ReferenceList
  let location: SourceLocation
  /// What it would stand for is wrong, and reported: who asks for it is told nothing more.
  let isBroken: Bool

  init(_ member: Node.Member, _ what: String, _ findings: inout Findings) {
    let sources = ReferenceList(member.value, what, &findings)
    self.init(name: member.key, sources: sources ?? .empty(what, at: member.value.location), isBroken: sources == nil)
  }

  init(name: String, sources: ReferenceList, isBroken: Bool = false) {
    self.name = name
    self.sources = sources
    location = sources.location
    self.isBroken = isBroken
  }
}

/// A port at one point of the recipe. What it stands for is looked up once, when somebody asks.
final class Port {
  enum State {
    case waiting
    /// Being looked up: who asks now needs himself.
    case open
    case known([BoundElement])
    /// Reported.
    case failed
  }

  /// What it must fit.
  enum Rule {
    case none
    /// An input of a manifest takes what that manifest declares.
    case input(InputDeclaration, manifest: String)
    /// What a step carries on is of the kind that the first step took.
    case carried(like: Port)
  }

  let plan: PortPlan
  /// Its references are resolved from here.
  let block: Block
  let scope: Scope
  let rule: Rule
  var state: State

  init(_ plan: PortPlan, in block: Block, _ scope: Scope, _ rule: Rule = .none) {
    self.plan = plan
    self.block = block
    self.scope = scope
    self.rule = rule
    state = plan.isBroken ? .failed : .waiting
  }

  var name: String { plan.name }
}

/// One element that a port stands for.
struct BoundElement {
  let element: InputElement
  /// Nil of a source file, which is what its reader takes it for.
  let type: ArtifactType?
  /// How messages call it: `train.model`.
  let name: String
}

extension [Port] {
  func named(_ name: String) -> Port? { first { $0.name.hasSameBytes(as: name) } }
}
