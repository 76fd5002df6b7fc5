import Datasets
import Evaluation

/// A model of bytes with made-up opinions: what it says depends on each request alone. It answers requests in any order and batch it likes.
struct FakeModel: LanguageModel {
  var contextLength = 64
  var vocabularySize = 258
  /// Prompt text -> completion text.
  var completions: [String: String] = [:]
  var complete = true
  var reversed = false

  func generate(_ prompts: [[Int32]], _ options: GenerationOptions, progress: (Int) throws -> Void) throws -> [GeneratedTokens] {
    try progress(prompts.count)
    return prompts.map { prompt in
      let text = completions[byteCodec.decode(prompt)] ?? ""
      return GeneratedTokens(ids: Array(byteCodec.encode(text).prefix(options.maxNewTokens)), isComplete: complete)
    }
  }

  /// log p = −(1 + token mod 7 + context length mod 3) / 8: exact in binary.
  func logProbabilities(_ requests: [LikelihoodRequest], progress: (Int) throws -> Void) throws -> [[Double]] {
    var answers = [[Double]](repeating: [], count: requests.count)
    for index in reversed ? Array(requests.indices.reversed()) : Array(requests.indices) {
      let request = requests[index]
      precondition(request.context.count + request.continuation.count - 1 <= contextLength)
      answers[index] = request.continuation.enumerated().map { offset, token in
        -Double(1 + Int(token) % 7 + (request.context.count + offset) % 3) / 8
      }
    }
    try progress(requests.count)
    return answers
  }
}

/// Bytes as tokens; 256 begins, 257 ends.
let byteCodec = TextCodec(
  encode: { $0.utf8.map { Int32($0) } }, decode: { ids in String(decoding: ids.filter { $0 < 256 }.map { UInt8($0) }, as: UTF8.self) },
  render: { messages, prompt throws(DatasetError) in messages.map { "<\($0.role)>\($0.content)" }.joined() + (prompt ? "<assistant>\n" : "")
  },
  beginning: 256, end: 257)
