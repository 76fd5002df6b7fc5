import Diagnostics
import JSONValues
import Manifests

/// Entries at one point of a recipe: the stages of a manifest, or those of a group at one point of its axes. Names are looked up here,
/// then in the block around it.
///
/// A class, because everything inside looks outwards through it; it is filled once, while the recipe is multiplied out.
final class Block {
  /// Nil at the top of a manifest, which sees nothing of whoever uses it.
  let parent: Block?
  let home: Home
  let scope: Scope
  /// The groups around it, each at its point.
  let groups: [InstancePath.Segment]
  /// All axes of those groups.
  let axes: [AxisValue]
  /// What stands before the names of its entries: `rft[sort].`
  let prefix: String

  private(set) var members: [Member] = []
  private(set) var names: [String] = []
  private var places: [ByteString: Int] = [:]

  /// In a step of a scan: what the step before carried on, which `carry.NAME` stands for.
  var carried: [Port]?
  /// In a step of a scan: what it carries on.
  var carriesOn: [Port] = []
  /// At the top of a manifest: what `inputs.NAME` stands for.
  var inputs: [Port] = []
  /// At a point of a manifest that is used: the top of that manifest, and what its outputs stand for.
  var inner: Block?
  var outputs: [Port]?

  /// The top of a manifest; `around` is the point at which it is used.
  init(home: Home, params: JSONObject, around: Block? = nil) {
    parent = nil
    self.home = home
    scope = Scope(params: params)
    groups = around?.groups ?? []
    axes = around?.axes ?? []
    prefix = around?.prefix ?? ""
  }

  /// A group's point.
  init(_ name: String, _ point: Matrix.Combination, brackets: String, in parent: Block) {
    self.parent = parent
    home = parent.home
    scope = parent.scope.adding(point.variables)
    groups = parent.groups + [InstancePath.Segment(name: name, axes: point.axes)]
    axes = parent.axes + point.axes
    prefix = "\(parent.prefix)\(name)\(brackets)."
  }

  func add(_ member: Member, named name: String) {
    places[ByteString(name)] = members.count
    names.append(name)
    members.append(member)
  }

  func member(_ name: String) -> Member? { places[ByteString(name)].map { members[$0] } }

  /// `rft.train`: where a name stands that can be seen only through a group.
  func pathInside(to name: String) -> String? {
    for (place, member) in members.enumerated() {
      guard case .group(let group) = member, case .entries(let entries) = group.plan.body else { continue }
      if entries.contains(where: { $0.name.hasSameBytes(as: name) }) { return "\(names[place]).\(name)" }
    }
    return nil
  }

  /// Lets go of everything inside, which looks back at it: otherwise a recipe's blocks would keep one another for good.
  func dissolve() {
    for case .group(let group) in members { for block in group.blocks { block.dissolve() } }
    inner?.dissolve()
    (members, inner, inputs, outputs) = ([], nil, [], nil)
    (carried, carriesOn) = (nil, [])
  }

  /// The blocks in which names are looked up: this one, then those around it.
  var outwards: some Sequence<Block> { sequence(first: self) { $0.parent } }
}

/// An entry in a block.
enum Member {
  case stage(StageMember)
  case group(GroupMember)
  /// With errors: references to it are not reported again.
  case broken
}

/// A stage in a block, with its points. Its instances stand one after another, from `first` on, in the order of the manifest.
final class StageMember {
  let plan: StagePlan
  let block: Block
  let table: PointTable
  let first: Int
  /// Names of its instances, and all their axes.
  let names: [String]
  let axes: [[AxisValue]]

  init(plan: StagePlan, block: Block, table: PointTable, first: Int) {
    self.plan = plan
    self.block = block
    self.table = table
    self.first = first
    let name = block.prefix + plan.entry.name
    names = table.brackets.map { $0.isEmpty ? name : name + $0 }
    axes = table.points.map { block.axes.isEmpty ? $0.axes : block.axes + $0.axes }
  }
}

/// A group in a block: a block for each of its points.
final class GroupMember {
  let plan: GroupPlan
  let block: Block
  let table: PointTable
  /// By point.
  let blocks: [Block]
  /// The points of its matrix alone, and the last step of the scan at each; without a scan the points themselves.
  let matrix: PointTable
  let last: [Int]

  init(plan: GroupPlan, block: Block, table: PointTable, blocks: [Block], matrix: PointTable, last: [Int]) {
    self.plan = plan
    self.block = block
    self.table = table
    self.blocks = blocks
    self.matrix = matrix
    self.last = last
  }
}

/// The file that entries stand in, and where it is used.
final class Home {
  let plan: ManifestPlan
  /// Nil of the outermost.
  let use: SourceLocation?
  let outer: Home?

  init(_ plan: ManifestPlan, use: SourceLocation? = nil, outer: Home? = nil) {
    self.plan = plan
    self.use = use
    self.outer = outer
  }

  /// Where the file is used, from the inside out: what a finding in it must say besides its place.
  var notes: [Diagnostic.Note] {
    guard let use else { return [] }
    return [Diagnostic.Note(PlanningText.usedHere, at: use)] + (outer?.notes ?? [])
  }
}
