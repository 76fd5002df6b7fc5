import Modeling

/// The mean of −log p over each record's targets, forward only. A record's loss is the same bits whatever is measured beside it.
package struct RecordLosses {
  private let model: Transformer
  /// Records in one pass.
  private let atOnce: Int

  package init(_ model: Transformer, atOnce: Int) {
    self.model = model
    self.atOnce = atOnce
  }

  /// In nats; nil for a record without targets. `progress` is told how many records are done, and may throw to end it.
  package func measure(_ records: [TokenizedRecord], progress: (Int) throws -> Void) throws -> [Double?] {
    var losses = [Double?](repeating: nil, count: records.count)
    let usable = records.indices.filter { records[$0].targetCount > 0 }
    let largest = { (numbers: [Int]) in numbers.sorted(by: >).prefix(atOnce).reduce(0, +) }
    let activations = Activations(
      model.configuration, tokens: largest(usable.map { records[$0].ids.count }), targets: largest(usable.map { records[$0].targetCount }),
      purpose: .inference)
    for start in stride(from: 0, to: usable.count, by: atOnce) {
      let end = min(usable.count, start + atOnce)
      try progress(start)
      let batch = MicroBatch(Array(usable[start..<end]), of: records)
      model.forward(batch.tokens, activations)
      for (number, loss) in zip(batch.records, batch.meanLosses(model.score(batch.targets, activations))) { losses[number] = loss }
    }
    try progress(records.count)
    return losses
  }
}
