import JSONValues

/// `command`: a program scores the completions.
///
/// It is started once, at the first batch, and reads a JSON object a line for each completion, under TRL's names: `prompts` and `completions`
/// (strings, or lists of messages where the record's prompt is a conversation; `prompt` and `completion` say the same), `completion_ids`, and
/// the record's other columns. An empty line ends the batch. It answers each with a line: a number, `null` where it cannot score, or
/// `{"score": …}`; an empty line of its own may end the batch too. The end of its input tells it to end.
final class CommandReward: RewardComponent {
  private let name: String
  private let program: RewardProgram
  /// Whether the last batch was answered without an empty line, so that one may still come.
  private var mayOweEmptyLine = false

  init(name: String, words: [String], timeout: Double, log: @escaping (String) -> Void) {
    self.name = name
    program = RewardProgram(words: words, timeout: timeout) { line in log("reward '\(name)': \(line)") }
  }

  func score(_ requests: [RewardRequest]) throws -> [Double?] {
    guard !requests.isEmpty else { return [] }
    try refuseMore(program.pending())
    var scores: [Double?] = []
    do {
      try program.exchange(Self.bytes(requests)) { line throws(RewardError) in
        guard !line.isBlank else {
          try endOfBatch(after: scores.count, requests)
          return .more
        }
        scores.append(try score(line, scores.count, requests))
        return scores.count == requests.count ? .done : .more
      }
      mayOweEmptyLine = true
      try refuseMore(program.pending())
    } catch let failure as RewardProgram.Failure {
      let answered = requests.count == 1 ? "" : ", with \(scores.count) of \(requests.count) records answered"
      throw RewardError(
        reward, "the program \(failure.message)\(answered)", record: Self.place(scores.count, requests),
        standardError: failure.standardError)
    }
    return scores
  }

  func close() throws { try refuseMore(program.finish()) }

  private var reward: String { "reward '\(name)'" }

  private static func place(_ index: Int, _ requests: [RewardRequest]) -> String {
    let index = min(index, requests.count - 1)
    return requests[index].name(index)
  }

  // MARK: - Lines

  private static func bytes(_ requests: [RewardRequest]) -> [UInt8] {
    var bytes: [UInt8] = []
    for request in requests {
      bytes += request.json.encodedBytes()
      bytes.append(0x0A)
    }
    bytes.append(0x0A)
    return bytes
  }

  private func score(_ line: ArraySlice<UInt8>, _ index: Int, _ requests: [RewardRequest]) throws(RewardError) -> Double? {
    let json = try? JSONValue(parsing: Array(line))
    let answer = json?.objectValue == nil ? json : json?["score"]
    if answer?.isNull == true { return nil }
    if let number = answer?.numberValue { return number }
    let text = String(String(decoding: line, as: UTF8.self).prefix(80))
    throw RewardError(
      reward, "the program answered '\(text)', not a finite number, null or {\"score\": …}", record: Self.place(index, requests),
      standardError: program.standardError)
  }

  private func endOfBatch(after count: Int, _ requests: [RewardRequest]) throws(RewardError) {
    guard count > 0 || !mayOweEmptyLine else {
      mayOweEmptyLine = false
      return
    }
    throw RewardError(
      reward, "the program ended its batch with \(count) of \(requests.count) records answered", record: Self.place(count, requests),
      standardError: program.standardError)
  }

  /// Anything but the empty line that may end a batch is too much.
  private func refuseMore(_ lines: [ArraySlice<UInt8>]) throws(RewardError) {
    if let first = lines.first(where: { !$0.isBlank }) {
      let text = String(String(decoding: first, as: UTF8.self).prefix(80))
      throw RewardError(reward, "the program answered more lines than there were records; the first beyond them is '\(text)'")
    }
    if !lines.isEmpty { mayOweEmptyLine = false }
  }
}

extension ArraySlice<UInt8> {
  fileprivate var isBlank: Bool { allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D } }
}

extension RewardRequest {
  /// What a program reads.
  var json: JSONValue {
    var prompt = JSONValue.string(promptText)
    var answer = JSONValue.string(completion)
    switch record.prompt {
    case .text(let text): prompt = .string(text)
    case .messages(let messages):
      prompt = .array(messages.map(\.json))
      answer = [["role": "assistant", "content": .string(completion)]]
    case nil: break
    }
    let own = ["prompts", "completions", "prompt", "completion", "completion_ids", "messages", "text"]
    var row = JSONObject([
      ("prompts", prompt), ("completions", answer), ("prompt", prompt), ("completion", answer),
      ("completion_ids", .array(completionIDs.map { .integer(Int($0)) })),
    ])
    for member in record.json.objectValue?.members ?? [] where !own.contains(member.key) { row.append(member.key, member.value) }
    return .object(row)
  }
}
