import Datasets
import Kernels
import Modeling

/// Target tokens of tokenized records, and the passes over whole records in which a model reads them. Knows nothing of what is asked of it.
package struct TargetPasses: Sendable {
  /// Which tokens are looked at.
  package enum Positions: String, Sendable {
    /// Those that training has as targets.
    case targets
    /// All but the first of each record.
    case all
  }

  /// A token that is predicted, and where it stands: the token at `position` of `record`, both from 0.
  package struct Place: Sendable, Equatable {
    package let record: Int
    package let position: Int
    package let token: Int32
  }

  /// Some records as one batch.
  package struct Pass: Sendable {
    package let batch: TokenBatch
    /// The row before each target, whose logits predict it.
    package let rows: [Int32]
    /// Of its targets among all.
    package let range: Range<Int>
  }

  package let places: [Place]
  package let passes: [Pass]

  private static let tokensPerPass = 4096

  package init(_ records: TokenizedRecords, positions: Positions = .targets) {
    var places: [Place] = []
    var passes: [Pass] = []
    var (batch, rows) = (TokenBatch(), [Int32]())
    func close() {
      guard batch.count > 0 else { return }
      passes.append(Pass(batch: batch, rows: rows, range: places.count - rows.count..<places.count))
      (batch, rows) = (TokenBatch(), [])
    }
    for record in 0..<records.count {
      let range = records.range(record)
      if batch.count + range.count > Self.tokensPerPass { close() }
      let start = batch.count
      batch.append(Array(records.ids[range]))
      for position in 1..<max(1, range.count) where positions == .all || records.trained[range.lowerBound + position] != 0 {
        rows.append(Int32(start + position - 1))
        places.append(Place(record: record, position: position, token: records.ids[range.lowerBound + position]))
      }
    }
    close()
    self.places = places
    self.passes = passes
  }

  /// Memory for the largest of the passes.
  package func activations(_ configuration: ModelConfiguration) -> Activations {
    Activations(
      configuration, tokens: passes.map(\.batch.count).max() ?? 1, targets: max(1, passes.map(\.rows.count).max() ?? 1), purpose: .inference
    )
  }
}
