import Foundation
import JSONValues
import Tokenization

/// Fixtures beside the tests, recorded by scripts/goldens/tokenizers.py.
enum Fixtures {
  static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")

  static func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: directory.appendingPathComponent(name))) }

  static func json(_ name: String) throws -> JSONValue { try JSONValue(parsing: bytes(name)) }

  static func tokenizer(_ kind: String) throws -> Tokenizer { try Tokenizer(json: json(kind + ".json")) }

  /// Every kind of tokenizer that the script trains.
  static let kinds = ["gpt2", "gpt2-prefix-space", "gpt2-digits", "digit-runs", "qwen2", "llama3"]
}

/// One text and what the reference makes of it.
struct GoldenCase {
  let name: String
  let text: String
  let ids: [Int32]
  /// With the post-processor's tokens, and with special tokens taken as plain text.
  let withSpecial: [Int32]
  let specialAsText: [Int32]
  let decoded: String
  let skipped: String

  static func all(_ kind: String) throws -> [GoldenCase] {
    try (Fixtures.json(kind + "-ids.json")["cases"]?.arrayValue ?? []).map(GoldenCase.init)
  }

  private init(_ row: JSONValue) throws {
    name = try row["name"]?.stringValue ?? missing("name")
    text = try row["text"]?.stringValue ?? missing("text")
    ids = try row["ids"]?.ids ?? missing("ids")
    withSpecial = row["with_special"]?.ids ?? ids
    specialAsText = row["special_as_text"]?.ids ?? ids
    decoded = try row["decoded"]?.stringValue ?? missing("decoded")
    skipped = try row["skipped"]?.stringValue ?? missing("skipped")
  }
}

struct MissingFixture: Error { let key: String }

func missing<T>(_ key: String) throws -> T { throw MissingFixture(key: key) }

extension JSONValue {
  var ids: [Int32]? { arrayValue?.compactMap { $0.integerValue.map(Int32.init) } }
}

/// Whether two strings are the same bytes.
func sameBytes(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
