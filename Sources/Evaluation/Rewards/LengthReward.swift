/// `length`, in tokens with the end token.
enum LengthReward: RewardComponent, Equatable {
  /// 1 within the bounds, else 0.
  case within(ClosedRange<Int>)
  /// DAPO's soft overlong punishment (arXiv 2503.14476, equation 13), with L_max tokens and a zone of L_cache before it:
  /// 0 up to L_max − L_cache, then falling as ((L_max − L_cache) − n) / L_cache, −1 beyond L_max.
  case overlong(Int, cache: Int)

  func score(_ requests: [RewardRequest]) -> [Double?] { requests.map { reward($0.completionIDs.count) } }

  private func reward(_ count: Int) -> Double {
    switch self {
    case .within(let bounds): return bounds.contains(count) ? 1 : 0
    case .overlong(let most, let cache):
      if count <= most - cache { return 0 }
      return count <= most ? Double(most - cache - count) / Double(cache) : -1
    }
  }
}
