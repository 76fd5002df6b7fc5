/// What a low-rank adapter is told, under PEFT's names in our spelling: which modules get one, of what rank, and how much it counts.
/// Knows nothing of weights and files.
///
/// LoRA (arXiv 2106.09685): W = W₀ + (α/r)·B·A. rsLoRA (2312.03732): α/√r. DoRA (2402.09353): W = m ⊙ (W₀ + s·B·A)/‖W₀ + s·B·A‖, the norm and
/// m of each output row.
package struct LoRASettings: Sendable, Equatable {
  package enum Targets: Sendable, Equatable {
    /// Every linear layer inside the blocks.
    case allLinear
    /// Module names, or what they end with after a dot: `q_proj`, `mlp.up_proj`.
    case suffixes([String])
    /// A regular expression for the whole module name.
    case pattern(String)
  }

  /// A value of its own for the modules that a pattern picks.
  package struct Override<Value: Sendable & Equatable>: Sendable, Equatable {
    /// A regular expression for the module's name, or for what it ends with after a dot.
    package let pattern: String
    package let value: Value

    /// Nil where the pattern is none.
    let names: NamePattern?

    package init(_ pattern: String, _ value: Value) {
      (self.pattern, self.value) = (pattern, value)
      names = try? NamePattern(#"(.*\.)?("# + pattern + ")")
    }
  }

  /// `r`
  package var rank = 8
  /// `lora_alpha`
  package var alpha = 8.0
  /// `lora_dropout`: of the adapter's input, while it trains.
  package var dropout = 0.0
  /// `target_modules`
  package var targets = Targets.allLinear
  /// `rank_pattern`, `alpha_pattern`: the first that fits counts.
  package var rankPattern: [Override<Int>] = []
  package var alphaPattern: [Override<Double>] = []
  /// `use_rslora`
  package var isRankStabilized = false
  /// `use_dora`
  package var isWeightDecomposed = false

  package init() {}

  var largestRank: Int { ([rank] + rankPattern.map(\.value)).max() ?? rank }

  package func rank(of module: String) -> Int { Self.value(rankPattern, module) ?? rank }

  /// s, the factor of B·A.
  package func scale(of module: String) -> Double {
    let alpha = Self.value(alphaPattern, module) ?? alpha
    let rank = Double(rank(of: module))
    return alpha / (isRankStabilized ? rank.squareRoot() : rank)
  }

  private static func value<Value>(_ overrides: [Override<Value>], _ module: String) -> Value? {
    overrides.first { $0.names?.matches(module) ?? false }?.value
  }

  /// The modules of a model that get an adapter.
  /// - Throws: where a name or pattern picks none, and for values that no adapter has.
  package func modules(_ configuration: ModelConfiguration) throws(ModelError) -> [LinearModule] {
    let all = LinearModule.all(configuration)
    try check(all)
    switch targets {
    case .allLinear: return all
    case .pattern(let text):
      let pattern: NamePattern
      do { pattern = try NamePattern(text) } catch { throw ModelError("target_modules: \(error.message)") }
      let found = all.filter { pattern.matches($0.name) }
      guard !found.isEmpty else { throw ModelError("target_modules: '\(text)' matches no linear layer of the model's blocks") }
      return found
    case .suffixes(let suffixes):
      guard !suffixes.isEmpty else { throw ModelError("target_modules names no module") }
      for suffix in suffixes where !all.contains(where: { Self.ends($0.name, with: suffix) }) {
        throw ModelError("target_modules: no linear layer of the model's blocks is called '\(suffix)'; \(Self.known(all))")
      }
      return all.filter { module in suffixes.contains { Self.ends(module.name, with: $0) } }
    }
  }

  private func check(_ modules: [LinearModule]) throws(ModelError) {
    let ranks = [rank] + rankPattern.map(\.value)
    if let rank = ranks.first(where: { $0 < 1 }) { throw ModelError("an adapter of rank \(rank) adapts nothing: r must be at least 1") }
    guard ([alpha] + alphaPattern.map(\.value)).allSatisfy(\.isFinite) else { throw ModelError("lora_alpha must be a number") }
    guard dropout >= 0, dropout < 1 else { throw ModelError("lora_dropout must be at least 0 and below 1, not \(dropout)") }
    for (text, names) in rankPattern.map({ ($0.pattern, $0.names) }) + alphaPattern.map({ ($0.pattern, $0.names) }) {
      _ = try NamePattern(text)
      if let module = modules.first(where: { names?.answer($0.name) == .endless }) {
        throw ModelError("'\(text)' takes more steps on '\(module.name)' than a pattern may")
      }
    }
  }

  static func ends(_ name: String, with suffix: String) -> Bool {
    let (name, suffix) = (Array(name.utf8), Array(suffix.utf8))
    guard name.count > suffix.count else { return name == suffix }
    return !suffix.isEmpty && name.suffix(suffix.count) == suffix[...] && name[name.count - suffix.count - 1] == UInt8(ascii: ".")
  }

  private static func known(_ modules: [LinearModule]) -> String {
    "it has " + modules.filter { $0.layer == 0 }.compactMap { $0.name.split(separator: ".").last }.joined(separator: ", ")
  }
}
