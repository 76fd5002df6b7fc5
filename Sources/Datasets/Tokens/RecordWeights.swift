import JSONValues

/// How much each record counts, and the loss that says so: FLOW's weights exp(−f/τ), f the mean loss of a record's targets under the model
/// named. Bound to the bytes of the tokens that were measured: they serve no other records.
package struct RecordWeights: Sendable, Equatable {
  /// Of one `tokens` artifact; nil for a record without a target.
  package struct Table: Sendable, Equatable {
    /// `sha256:…` of the tokens.
    package var tokens: String
    /// Nats a target.
    package var losses: [Double?]
    package var weights: [Double?]

    package init(tokens: String, losses: [Double?], weights: [Double?]) {
      (self.tokens, self.losses, self.weights) = (tokens, losses, weights)
    }
  }

  /// `sha256:…` of the model that the losses are of.
  package var model: String
  package var tau: Double
  package var tables: [Table]

  package init(model: String, tau: Double, tables: [Table]) { (self.model, self.tau, self.tables) = (model, tau, tables) }

  /// The weights of these tokens, one a record.
  package func weights(tokens digest: String, records: Int) throws(DatasetError) -> [Double] {
    guard let table = tables.first(where: { $0.tokens.utf8.elementsEqual(digest.utf8) }) else {
      let known = tables.map(\.tokens).joined(separator: ", ")
      throw DatasetError("holds no weights of the records to train on, \(digest), but of \(known)")
    }
    guard table.weights.count == records else {
      throw DatasetError("holds \(table.weights.count) weights for the \(records) records of \(digest)")
    }
    return table.weights.map { $0 ?? 1 }
  }

  // MARK: - As JSON

  package var json: JSONValue {
    func numbers(_ values: [Double?]) -> JSONValue { .array(values.map { $0.map(JSONValue.number) ?? .null }) }
    return .object(
      JSONObject([
        ("model", .string(model)), ("tau", .number(tau)),
        (
          "data",
          .array(
            tables.map {
              .object(
                JSONObject([("tokens", .string($0.tokens)), ("losses", numbers($0.losses)), ("weights", numbers($0.weights))]))
            })
        ),
      ]))
  }

  package init(json: JSONValue) throws(DatasetError) {
    guard let model = json["model"]?.stringValue, let tau = json["tau"]?.numberValue, let data = json["data"]?.arrayValue else {
      throw DatasetError("is no table of record weights: it lacks 'model', 'tau' or 'data'")
    }
    self.model = model
    self.tau = tau
    tables = []
    for table in data {
      guard let tokens = table["tokens"]?.stringValue, let losses = table["losses"]?.arrayValue, let weights = table["weights"]?.arrayValue
      else { throw DatasetError("an entry of 'data' lacks 'tokens', 'losses' or 'weights'") }
      for (record, weight) in weights.enumerated() where !weight.isNull && !(weight.numberValue.map { $0 >= 0 && $0.isFinite } ?? false) {
        throw DatasetError("the weight of record \(record + 1) of \(tokens) must be a number from 0 on")
      }
      tables.append(Table(tokens: tokens, losses: losses.map(\.numberValue), weights: weights.map(\.numberValue)))
    }
  }
}
