import JSONValues
import Modeling

/// Whether two model directories number the same tokens the same way; without tokenizer.json on both sides there is nothing to say.
enum TokenizerComparison {
  static func check(_ base: String, named name: String, _ other: String) throws(ModelError) {
    guard let a = try tokenizer(base), let b = try tokenizer(other), a != b else { return }
    let (ofBase, ofOther) = (try ids(a, base), try ids(b, other))
    guard ofBase.count == ofOther.count else {
      throw ModelError("has a tokenizer of \(ofOther.count) tokens, \(name) one of \(ofBase.count)", file: other)
    }
    let names = ofBase.keys.sorted { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }
    for token in names where ofOther[token] != ofBase[token] {
      let there = ofOther[token].map { "has id \($0)" } ?? "is missing"
      throw ModelError("has another vocabulary: token '\(token.text)' \(there), in \(name) it has id \(ofBase[token] ?? -1)", file: other)
    }
  }

  private static func tokenizer(_ directory: String) throws(ModelError) -> CompanionFile? {
    try ModelDirectory.companions(of: directory).first { $0.name == "tokenizer.json" }
  }

  private static func ids(_ file: CompanionFile, _ directory: String) throws(ModelError) -> [ByteString: Int] {
    let json = try JSONValue(contentsOf: directory + "/" + file.name)
    var ids: [ByteString: Int] = [:]
    for (token, id) in json["model"]?["vocab"]?.objectValue?.members ?? [] { ids[ByteString(token)] = id.integerValue }
    for added in json["added_tokens"]?.arrayValue ?? [] {
      if let token = added["content"]?.stringValue { ids[ByteString(token)] = added["id"]?.integerValue }
    }
    return ids
  }
}
