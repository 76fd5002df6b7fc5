import Modeling

/// The records of one forward and backward pass, packed, with their targets.
package struct MicroBatch: Sendable {
  /// Numbers of the records in the training set.
  package let records: [Int]
  package let tokens: TokenBatch
  package let targets: Targets
  /// A factor on each target's loss.
  package let weights: [Float]
  /// Which of `records` each target belongs to.
  package let owners: [Int32]

  package init(_ numbers: [Int], of records: [TokenizedRecord]) {
    var tokens = TokenBatch()
    var targets = Targets()
    var weights: [Float] = []
    var owners: [Int32] = []
    for (owner, number) in numbers.enumerated() {
      let record = records[number]
      let start = tokens.count
      for position in record.ids.indices.dropFirst() where record.trained[position] {
        targets.append(row: start + position - 1, token: record.ids[position])
        weights.append(record.weights?[position] ?? 1)
        owners.append(Int32(owner))
      }
      tokens.append(record.ids)
    }
    self.records = numbers
    self.tokens = tokens
    self.targets = targets
    self.weights = weights
    self.owners = owners
  }
}
