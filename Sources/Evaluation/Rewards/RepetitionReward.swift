/// `repetition`: (1 − distinct n-grams / n-grams) · max_penalty over the completion's tokens, 0 where it is shorter than n ("Demystifying long
/// chain-of-thought reasoning", arXiv 2502.03373, appendix C.2).
struct RepetitionReward: RewardComponent {
  let size: Int
  let penalty: Double

  func score(_ requests: [RewardRequest]) -> [Double?] { requests.map { reward($0.completionIDs) } }

  private func reward(_ ids: [Int32]) -> Double {
    guard ids.count >= size else { return 0 }
    let starts = 0...(ids.count - size)
    let distinct = Set(starts.map { ids[$0..<$0 + size] })
    return distinct.count == starts.count ? 0 : (1 - Double(distinct.count) / Double(starts.count)) * penalty
  }
}
