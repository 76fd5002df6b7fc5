import Kernels

/// The memory a pass works in, allocated once for a largest number of tokens and targets. A training pass keeps what the backward pass
/// cannot cheaply recompute; an inference pass uses one layer's buffers for all layers.
///
/// `@unchecked Sendable`: belongs to one pass at a time.
package final class Activations: @unchecked Sendable {
  package enum Purpose: Sendable {
    case training
    case inference
  }

  package let configuration: ModelConfiguration
  package let purpose: Purpose
  package let maximumTokens: Int
  package let maximumTargets: Int
  /// What the backward pass wants of the layers below this one is not kept.
  package let lowestLayer: Int
  /// Targets whose logits are held at a time.
  package let headRows: Int

  /// What the head said of each target of the last pass (maximumTargets each).
  package let logProbabilities: FloatBuffer
  package let entropies: FloatBuffer
  package let correct: FloatBuffer
  /// Entropy of the likeliest tokens of each target; empty unless asked for.
  let topEntropies: FloatBuffer
  /// d loss / d log p of each target.
  let slopes: FloatBuffer

  /// What adapters compute in.
  let adapters: AdapterMemory

  /// Residual stream entering each kept layer and leaving the last: (layers + 1) × (tokens, hidden).
  private let streams: FloatBuffer
  /// Residual stream between attention and MLP (tokens, hidden): of one layer at a time, for the backward pass computes it again.
  private let between: FloatBuffer
  /// Query, key and value rows: layers × (tokens, query + 2·keyValue); with head norms before them, else rotated.
  private let projections: FloatBuffer
  /// What attention gives (tokens, query): of one layer at a time, for the backward pass computes it again.
  private let mixture: FloatBuffer
  /// layers × (tokens, heads)
  private let logSums: FloatBuffer
  /// Gate and up: layers × (tokens, 2·intermediate).
  private let gates: FloatBuffer

  /// (tokens, intermediate)
  let inner: FloatBuffer
  /// (tokens, max(hidden, query))
  let normal: FloatBuffer
  /// Normalised and rotated queries and keys, Qwen3 only: (tokens, query + keyValue).
  let rotated: FloatBuffer
  /// d loss / d residual stream (tokens, hidden).
  let slope: FloatBuffer
  /// (tokens, query + 2·keyValue)
  let projectionSlope: FloatBuffer
  /// (tokens, query)
  let mixtureSlope: FloatBuffer
  /// Partial sums of the norms' backward passes.
  let partials: FloatBuffer
  /// Blocks of targets that are held at a time.
  let headBlocks: Int
  /// headBlocks × (headRows, vocabulary)
  let logits: FloatBuffer
  /// Softmax denominators: headBlocks × (headRows).
  private let normalizers: FloatBuffer
  /// Normalised hidden states of targets: headBlocks × (headRows, hidden).
  let gathered: FloatBuffer

  /// What the head is to keep beyond one block of logits.
  package struct Head: Sendable {
    /// A loss over the whole micro-batch computes again what does not fit here: the most bytes of logits to hold.
    package var keptBytes = 0
    /// `TargetStatistics.topEntropies` are wanted.
    package var hasTopEntropies = false

    package init() {}
  }

  /// Logits at a time: 8 MiB, which stay in cache from the product to the gradient; but of no fewer rows than make up for reading and
  /// writing the head's gradient once a block.
  private static let logitsAtATime = 2 << 20
  private static let fewestHeadRows = 256

  /// `lowestLayer`: below it nothing trains; the number of layers where no layer does.
  package init(
    _ configuration: ModelConfiguration, tokens: Int, targets: Int, purpose: Purpose, lowestLayer: Int = 0, head: Head = Head()
  ) {
    precondition(lowestLayer <= configuration.layers, "layer \(lowestLayer) of \(configuration.layers)")
    let c = configuration
    let kept = purpose == .training ? max(1, c.layers - lowestLayer) : 1
    let backward = purpose == .training ? tokens : 0
    let projection = c.queryWidth + 2 * c.keyValueWidth
    self.configuration = c
    self.purpose = purpose
    maximumTokens = tokens
    maximumTargets = targets
    self.lowestLayer = lowestLayer
    adapters = AdapterMemory(rows: tokens)
    headRows = max(1, min(targets, max(Self.fewestHeadRows, Self.logitsAtATime / c.vocabularySize / 32 * 32)))

    logProbabilities = FloatBuffer(count: targets)
    entropies = FloatBuffer(count: targets)
    correct = FloatBuffer(count: targets)
    topEntropies = FloatBuffer(count: head.hasTopEntropies ? targets : 0)
    slopes = FloatBuffer(count: targets)

    streams = FloatBuffer(count: (purpose == .training ? c.layers - lowestLayer + 1 : 1) * tokens * c.hiddenSize)
    between = FloatBuffer(count: backward * c.hiddenSize)
    projections = FloatBuffer(count: kept * tokens * projection)
    mixture = FloatBuffer(count: tokens * c.queryWidth)
    logSums = FloatBuffer(count: kept * tokens * c.heads)
    gates = FloatBuffer(count: kept * tokens * 2 * c.intermediateSize)

    inner = FloatBuffer(count: tokens * c.intermediateSize)
    normal = FloatBuffer(count: tokens * c.hiddenSize)
    rotated = FloatBuffer(count: c.headNorm ? tokens * (c.queryWidth + c.keyValueWidth) : 0)
    slope = FloatBuffer(count: backward * c.hiddenSize)
    projectionSlope = FloatBuffer(count: backward * projection)
    mixtureSlope = FloatBuffer(count: backward * c.queryWidth)
    partials = FloatBuffer(count: RMSNorm.scratchCount(rows: max(backward, headRows), width: max(c.hiddenSize, c.headDimension)))
    let block = headRows * c.vocabularySize
    headBlocks = max(1, min((targets + headRows - 1) / headRows, head.keptBytes / (4 * block)))
    logits = FloatBuffer(count: headBlocks * block)
    normalizers = FloatBuffer(count: headBlocks * headRows)
    gathered = FloatBuffer(count: headBlocks * headRows * c.hiddenSize)
  }

  /// Where one layer reads and writes.
  struct Layer {
    let input: Floats
    let middle: Floats
    let output: Floats
    let projection: Floats
    let mixture: Floats
    let logSum: Floats
    let gate: Floats
  }

  /// Where the head works on one block of targets.
  struct HeadBlock {
    let targets: Range<Int>
    /// (targets, vocabulary)
    let logits: Floats
    let normalizers: Floats
    /// (targets, hidden)
    let gathered: Floats
    /// A pass over all blocks leaves this one as it is.
    let isKept: Bool
  }

  /// The blocks of `count` targets, in order. What does not fit shares the last place.
  func headBlocks(_ count: Int) -> [HeadBlock] {
    let blocks = (count + headRows - 1) / headRows
    return (0..<blocks).map { index in
      let place = min(index, headBlocks - 1) * headRows
      return HeadBlock(
        targets: index * headRows..<min(count, (index + 1) * headRows), logits: logits.pointer + place * configuration.vocabularySize,
        normalizers: normalizers.pointer + place, gathered: gathered.pointer + place * configuration.hiddenSize,
        isKept: index < headBlocks - 1 || blocks <= headBlocks)
    }
  }

  /// The residual stream after the last layer, before the final norm.
  var finalStream: Floats { stream(configuration.layers) }

  private func stream(_ layer: Int) -> Floats {
    streams.pointer + kept(layer) * maximumTokens * configuration.hiddenSize
  }

  /// The place of a layer among those that are kept; layers below share the lowest one's.
  private func kept(_ layer: Int) -> Int { purpose == .training ? max(0, layer - lowestLayer) : 0 }

  func layer(_ index: Int) -> Layer {
    let c = configuration
    let kept = kept(index) * maximumTokens
    return Layer(
      input: stream(index),
      middle: purpose == .training ? between.pointer : stream(index),
      output: stream(index + 1),
      projection: projections.pointer + kept * (c.queryWidth + 2 * c.keyValueWidth),
      mixture: mixture.pointer,
      logSum: logSums.pointer + kept * c.heads,
      gate: gates.pointer + kept * 2 * c.intermediateSize)
  }
}
