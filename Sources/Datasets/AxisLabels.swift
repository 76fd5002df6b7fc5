import JSONValues

// What people call the axis values that an element of a list carries.

extension JSONValue {
  /// A string as it is, a record by its `name`, anything else as JSON.
  package var labelName: String { stringValue ?? self["name"]?.stringValue ?? encoded() }
}

extension JSONObject {
  /// "sort, 3": the values, from the outside in.
  package var labelNames: String { members.map(\.value.labelName).joined(separator: ", ") }
}
