/// `command`: a program scores. Placeholder until the program's protocol stands.
final class CommandReward: RewardComponent {
  private let name: String

  init(name: String, words: [String], timeout: Double, log: @escaping (String) -> Void) { self.name = name }

  func score(_ requests: [RewardRequest]) throws -> [Double?] { throw RewardError("reward '\(name)'", "is not there yet") }
}
