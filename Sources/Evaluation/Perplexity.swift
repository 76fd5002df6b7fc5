/// How well a model predicts plain text, as lm-eval measures it over a whole suite.
enum Perplexity {
  /// bits_per_byte = −Σ log p / (Σ bytes · ln 2); byte_perplexity = exp(−Σ log p / Σ bytes); word_perplexity = exp(−Σ log p / Σ words).
  static func metrics(_ measured: [(logLikelihood: Double, bytes: Int, words: Int)]) -> [SuiteResult.Metric] {
    let losses = measured.map { -$0.logLikelihood }
    let bytes = Estimate.ratio(losses, measured.map { Double($0.bytes) })
    let words = Estimate.ratio(losses, measured.map { Double($0.words) })
    let bits = Estimate(value: bytes.value / PortableMath.ln2, standardError: bytes.standardError.map { $0 / PortableMath.ln2 })
    return [
      .init(name: "bits_per_byte", estimate: bits), .init(name: "byte_perplexity", estimate: bytes.exponential),
      .init(name: "word_perplexity", estimate: words.exponential),
    ]
  }

  /// Pieces between runs of white space, empty ones at the ends included: Python's `len(re.split(r"\s+", text))`.
  static func words(in text: String) -> Int {
    var count = 1
    var inSpace = false
    for scalar in text.unicodeScalars {
      let isSpace = scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
      if isSpace, !inSpace { count += 1 }
      inSpace = isSpace
    }
    return count
  }
}
