import Datasets
import Modeling
import StageInterface
import Training

/// The input `data` of the stages that train on tokens, or look at them as training does.
struct TrainingRecords {
  /// Of the tokens' bytes, `sha256:…`.
  let digest: String
  let table: TokenizedRecords
  let records: [TokenizedRecord]

  /// One table for each element of the input, checked against the model.
  static func tables(_ context: StageContext, _ configuration: ModelConfiguration) throws -> [TrainingRecords] {
    try context.inputs("data").map { element in
      let table = try TokenizedRecords(directory: element.path)
      try table.check(vocabularySize: configuration.vocabularySize, contextLength: configuration.maxPositions)
      return TrainingRecords(
        digest: element.digest, table: table,
        records: (0..<table.count).map { record in
          let range = table.range(record)
          return TokenizedRecord(ids: Array(table.ids[range]), trained: table.trained[range].map { $0 != 0 })
        })
    }
  }

  /// Its records with a weight on each token: the record's.
  func weighted(by weights: RecordWeights) throws(DatasetError) -> [TokenizedRecord] {
    zip(records, try weights.weights(tokens: digest, records: records.count)).map { record, weight in
      TokenizedRecord(ids: record.ids, trained: record.trained, weights: [Float](repeating: Float(weight), count: record.ids.count))
    }
  }
}
