import Datasets

/// `format`: 1 when the pattern matches the completion from its first to its last character, white space at both ends aside, else 0. As with
/// Python's `re.fullmatch` and `re.DOTALL`: a dot is any character, a line's end too.
struct FormatReward: RewardComponent {
  /// Thoughts, then an answer in a box, as EasyR1 asks for it.
  static let thoughtsAndBox = #"<think>.*</think>.*\\boxed\{.*\}.*"#

  private let pattern: Pattern

  init(_ pattern: Pattern) { self.pattern = pattern }

  static func pattern(_ text: String?) throws(DatasetError) -> Pattern { try Pattern(whole: text ?? thoughtsAndBox) }

  func score(_ requests: [RewardRequest]) -> [Double?] {
    requests.map { pattern.matches(in: $0.completion.trimmed, group: 0).isEmpty ? 0 : 1 }
  }
}
