import JSONValues

/// What is known of a stage before anything runs, for what it may have to say then: its parameters, and how many records its inputs hold.
package struct PlannedStage: Sendable {
  package struct Input: Sendable {
    package let name: String
    /// Of each element the records that it holds, or is about; nil where that is not known before it is made.
    package let records: [Int?]

    package init(name: String, records: [Int?]) { (self.name, self.records) = (name, records) }
  }

  /// Every parameter, defaults filled in.
  package let parameters: JSONObject
  package let inputs: [Input]

  package init(parameters: JSONObject, inputs: [Input]) { (self.parameters, self.inputs) = (parameters, inputs) }
}
