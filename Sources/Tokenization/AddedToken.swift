import JSONValues

/// A token that is looked for in the text itself, before any splitting: `<|im_end|>` and the like.
package struct AddedToken: Sendable, Equatable {
  package let id: Int32
  package let content: String
  /// Not found inside a word.
  package var singleWord = false
  /// Takes the spaces on its left, on its right, with it.
  package var lstrip = false
  package var rstrip = false
  /// Looked for after normalisation, not in the raw text.
  package var normalized = false
  /// Left out of decoded text where special tokens are to be skipped.
  package var special = true

  package init(id: Int32, content: String, special: Bool = true) {
    self.id = id
    self.content = content
    self.special = special
  }
}

extension AddedToken {
  init(_ place: JSONPlace) throws(TokenizerError) {
    id = try place.required("id").tokenID()
    content = try place.required("content").string()
    singleWord = try place.optional("single_word").bool(orElse: false)
    lstrip = try place.optional("lstrip").bool(orElse: false)
    rstrip = try place.optional("rstrip").bool(orElse: false)
    special = try place.optional("special").bool(orElse: false)
    normalized = try place.optional("normalized").bool(orElse: !special)
  }

  var json: JSONValue {
    [
      "id": .integer(Int(id)), "content": .string(content), "single_word": .bool(singleWord), "lstrip": .bool(lstrip),
      "rstrip": .bool(rstrip), "normalized": .bool(normalized), "special": .bool(special),
    ]
  }
}
