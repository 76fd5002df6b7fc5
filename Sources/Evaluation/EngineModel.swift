import Datasets
import Generation
import Modeling

/// The engine's Transformer as evaluation asks it. The batch size moves no bit of an answer: a record's numbers are its own.
package struct EngineModel: LanguageModel {
  package let transformer: Transformer
  package let codec: TextCodec
  /// Tokens that end an answer.
  package let endTokens: Set<Int32>
  /// Sequences at once; for speed alone.
  package let batchSize: Int

  private static let tokensPerPass = 4096

  package init(_ transformer: Transformer, _ codec: TextCodec, endTokens: Set<Int32>, batchSize: Int = 32) {
    self.transformer = transformer
    self.codec = codec
    self.endTokens = endTokens
    self.batchSize = batchSize
  }

  package var contextLength: Int { transformer.maximumPositions }
  package var vocabularySize: Int { transformer.configuration.vocabularySize }

  package func generate(_ prompts: [[Int32]], _ options: GenerationOptions, progress: (Int) throws -> Void) throws -> [GeneratedTokens] {
    let sampling = SamplingSettings(
      temperature: options.temperature, topK: options.topK ?? 0, topP: options.topP ?? 1, seed: options.seed)
    let limits = GenerationLimits(
      maxNewTokens: options.maxNewTokens, stopTokens: endTokens, makeStopRule: StopTexts.rule(options.stop, codec.decode))
    let generator = Generator(transformer, sampling: sampling, limits: limits, batchSize: batchSize)
    var stopped: (any Error)?
    let completions = try generator.generate(prompts) { done in
      do {
        try progress(done)
        return true
      } catch {
        stopped = error
        return false
      }
    }
    if let stopped { throw stopped }
    guard completions?.allSatisfy({ $0.allSatisfy { $0.logProbabilities.allSatisfy(\.isFinite) } }) ?? true else { throw Self.spoilt }
    return (completions ?? []).map { samples in
      let tokens = samples.first?.tokens ?? []
      let ids = tokens.last.map(endTokens.contains) == true ? tokens.dropLast() : tokens[...]
      return GeneratedTokens(ids: Array(ids), isComplete: samples.first?.finish == .stop)
    }
  }

  package func logProbabilities(_ requests: [LikelihoodRequest], progress: (Int) throws -> Void) throws -> [[Double]] {
    var answers = [[Double]](repeating: [], count: requests.count)
    let passes = passes(requests)
    guard let most = passes.map({ $0.reduce(0) { $0 + requests[$1].tokenCount } }).max() else { return [] }
    let targets = passes.map { $0.reduce(0) { $0 + requests[$1].continuation.count } }.max() ?? 0
    let activations = Activations(transformer.configuration, tokens: most, targets: targets, purpose: .inference)
    var done = 0
    for pass in passes {
      var batch = TokenBatch()
      var wanted = Targets()
      for index in pass {
        let request = requests[index]
        let first = batch.count + request.context.count - 1
        batch.append(Array((request.context + request.continuation).dropLast()))
        for (offset, token) in request.continuation.enumerated() { wanted.append(row: first + offset, token: token) }
      }
      var values = transformer.logProbabilities(batch, wanted, activations)[...]
      for index in pass {
        let count = requests[index].continuation.count
        answers[index] = values.prefix(count).map(Double.init)
        // A score made from such numbers would look like any other.
        guard answers[index].allSatisfy(\.isFinite) else { throw Self.spoilt }
        values = values.dropFirst(count)
      }
      done += pass.count
      try progress(done)
    }
    return answers
  }

  private static let spoilt = DatasetError("the model's log-probabilities are not finite: its weights are spoilt")

  /// Requests of like length together, the longest first; as many a pass as the batch size and the memory allow.
  private func passes(_ requests: [LikelihoodRequest]) -> [[Int]] {
    let order = requests.indices.sorted { (-requests[$0].tokenCount, $0) < (-requests[$1].tokenCount, $1) }
    var passes: [[Int]] = []
    var tokens = 0
    for index in order {
      let size = requests[index].tokenCount
      if let last = passes.last, last.count < batchSize, tokens + size <= Self.tokensPerPass {
        passes[passes.count - 1].append(index)
        tokens += size
      } else {
        passes.append([index])
        tokens = size
      }
    }
    return passes
  }
}

extension LikelihoodRequest {
  /// What goes into the model: all but the last token.
  fileprivate var tokenCount: Int { context.count + continuation.count - 1 }
}
