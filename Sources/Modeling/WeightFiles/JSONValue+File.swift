import JSONValues

extension JSONValue {
  /// The JSON document in a file.
  package init(contentsOf path: String) throws(ModelError) {
    let bytes = try PositionedFile.contents(of: path)
    do throws(JSONError) {
      self = try JSONValue(parsing: bytes)
    } catch {
      throw ModelError("\(error)", file: path)
    }
  }
}
