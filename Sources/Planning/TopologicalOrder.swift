/// Puts numbered things behind what they need. It does not know what they are.
enum TopologicalOrder {
  enum Outcome: Equatable {
    /// Everything, needs first; otherwise in the given order.
    case order([Int])
    /// Things of which each needs the next, and the last the first; it starts with the one of the least number.
    case cycle([Int])
  }

  private enum Mark { case new, open, done }

  /// `needs[i]` are the things that i needs.
  static func find(_ needs: [[Int]]) -> Outcome {
    var marks = Array(repeating: Mark.new, count: needs.count)
    var order: [Int] = []
    order.reserveCapacity(needs.count)
    for start in needs.indices where marks[start] == .new {
      var path: [(thing: Int, next: Int)] = [(start, 0)]
      marks[start] = .open
      while let (thing, next) = path.last {
        guard next < needs[thing].count else {
          marks[thing] = .done
          order.append(thing)
          path.removeLast()
          continue
        }
        path[path.count - 1].next += 1
        let needed = needs[thing][next]
        switch marks[needed] {
        case .done: break
        case .new:
          marks[needed] = .open
          path.append((needed, 0))
        case .open: return .cycle(rotated(path.map(\.thing), from: needed))
        }
      }
    }
    return .order(order)
  }

  private static func rotated(_ path: [Int], from needed: Int) -> [Int] {
    let cycle = Array(path.drop { $0 != needed })
    let least = cycle.indices.min { cycle[$0] < cycle[$1] } ?? 0
    return Array(cycle[least...] + cycle[..<least])
  }
}
