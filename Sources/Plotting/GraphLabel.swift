import Diagnostics

/// What a node of a folded graph says of the instances it stands for.
struct GraphLabel {
  let name: String
  /// Below the name: state and time of one, counts of many.
  let status: String
  /// What is most worth seeing among its members; nil where nothing is known.
  let state: InstanceState?
  /// Of many: how many are in each state.
  let counts: [(state: InstanceState, count: Int)]
  let isCritical: Bool
  let isJoined: Bool
  /// All there is to say, where one points.
  let lines: [String]

  /// From what wants attention to what does not.
  private static let order: [InstanceState] = [
    .failed, .running, .interrupted, .run, .resume, .waiting, .waits, .skipped, .ran, .cached,
  ]

  init(_ node: FoldedGraph.Node, _ drawing: GraphDrawing) {
    let members = node.members.map { drawing.nodes[$0] }
    counts = Self.order.compactMap { state in
      let count = members.count { $0.state == state }
      return count > 0 ? (state, count) : nil
    }
    state = counts.first?.state
    isCritical = members.contains(where: \.isCritical)
    isJoined = members.count > 1
    name = node.path.map { Markup.shortened($0, to: 200) }.joined(separator: ".")
    let seconds = members.compactMap(\.seconds)
    let time = seconds.isEmpty ? nil : DurationText.text(seconds.reduce(0, +), isRound: true)
    var words: [String] = []
    if isJoined { words.append("×\(members.count)") }
    if counts.count == 1 {
      words.append("\(counts[0].state.symbol) \(counts[0].state)")
    } else {
      words += counts.map { "\($0.state.symbol) \($0.count)" }
    }
    if let time { words.append(words.isEmpty ? time : "· \(time)") }
    if node.carriesOn { words.append("↻") }
    status = words.joined(separator: " ")
    lines = Self.lines(name, members, counts, time, isCritical: isCritical, carriesOn: node.carriesOn)
  }

  private static func lines(
    _ name: String, _ members: [GraphDrawing.Node], _ counts: [(state: InstanceState, count: Int)], _ time: String?, isCritical: Bool,
    carriesOn: Bool
  ) -> [String] {
    var lines = [name]
    if let stage = members.first?.stage, !stage.isEmpty, members.allSatisfy({ $0.stage == stage }) {
      lines.append(Markup.shortened(stage, to: 200))
    }
    if members.count > 1 {
      let states = counts.map { "\($0.count) \($0.state)" }.joined(separator: ", ")
      lines.append("\(members.count) instances" + (states.isEmpty ? "" : ": " + states))
    } else if let state = counts.first?.state {
      lines.append(state.rawValue)
    }
    if let time { lines.append(members.count > 1 ? "\(time) together" : time) }
    if isCritical { lines.append("on the critical path") }
    if carriesOn { lines.append("each step takes what the one before made") }
    return lines + (members.count == 1 ? members[0].notes.prefix(12).map { Markup.shortened($0, to: 300) } : [])
  }
}
