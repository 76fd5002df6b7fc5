import Datasets

/// `exact`, `numeric`, `regex`, `choice`, `contains`: 1 for a right answer, 0 for a wrong one, by one rule for all records. nil for a record
/// that says no answer.
struct RuleReward: RewardComponent {
  private let judge: AnswerJudge

  init(_ judge: AnswerJudge) { self.judge = judge }

  func score(_ requests: [RewardRequest]) -> [Double?] { requests.map { judge.reward($0) } }
}

/// `verify`: the same by each record's own rule. nil for a record without rule or answer.
final class VerifyReward: RewardComponent {
  private let name: String
  /// Records of one task share a rule.
  private var judges: [(rule: VerifyRule, judge: AnswerJudge)] = []

  init(name: String) { self.name = name }

  func score(_ requests: [RewardRequest]) throws -> [Double?] {
    try requests.enumerated().map { index, request in
      guard let rule = request.record.verify else { return nil }
      return try judge(rule, request.name(index)).reward(request)
    }
  }

  private func judge(_ rule: VerifyRule, _ record: String) throws(RewardError) -> AnswerJudge {
    if let known = judges.last(where: { $0.rule == rule }) { return known.judge }
    do {
      let judge = try AnswerJudge(rule)
      judges.append((rule, judge))
      return judge
    } catch { throw RewardError("reward '\(name)'", error.message, record: record) }
  }
}

extension AnswerJudge {
  fileprivate func reward(_ request: RewardRequest) -> Double? {
    canJudge(request.record) ? (judge(request.completion, request.record).isRight ? 1 : 0) : nil
  }
}
