import JSONValues

/// The special tokens that go before and after a text when they are asked for.
package struct PostProcessor: Sendable, Equatable {
  package var before: [Int32] = []
  package var after: [Int32] = []
  /// What the tokenizer file says, written back as it was.
  let json: JSONValue

  /// Adds nothing.
  package static let none = PostProcessor(json: .null)

  private init(json: JSONValue) { self.json = json }

  init(_ place: JSONPlace) throws(TokenizerError) {
    json = place.value
    if place.isNull { return }
    switch try place.required("type").string() {
    case "ByteLevel": return
    case "Sequence":
      for part in try place.required("processors").array() {
        let inner = try PostProcessor(part)
        before = inner.before + before
        after += inner.after
      }
    case "TemplateProcessing": try readTemplate(place)
    case "RobertaProcessing", "BertProcessing":
      before = [try Self.tokenAndID(place.required("cls"))]
      after = [try Self.tokenAndID(place.required("sep"))]
    case let other:
      let known = "TemplateProcessing, ByteLevel, RobertaProcessing, BertProcessing and Sequence are"
      throw try place.required("type").fault("post-processor '\(other)' is not supported; \(known)")
    }
  }

  private mutating func readTemplate(_ place: JSONPlace) throws(TokenizerError) {
    var seenText = false
    for piece in try place.required("single").array() {
      let sequence = try piece.optional("Sequence")
      if !sequence.isNull {
        if seenText { throw piece.fault("the text stands in the template twice") }
        seenText = true
        continue
      }
      let name = try piece.required("SpecialToken").required("id").string()
      for id in try place.required("special_tokens").required(name).required("ids").array() {
        if seenText { after.append(try id.tokenID()) } else { before.append(try id.tokenID()) }
      }
    }
    if !seenText { throw try place.required("single").fault("the template leaves the text out") }
  }

  /// `["</s>", 2]`
  private static func tokenAndID(_ place: JSONPlace) throws(TokenizerError) -> Int32 {
    let pair = try place.array()
    guard pair.count == 2 else { throw place.fault("expected a token and its id") }
    return try pair[1].tokenID()
  }
}
