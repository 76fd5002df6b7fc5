import JSONValues
import Testing

@Suite("JSON values") struct JSONValueTests {
  @Test("a key that stands twice is found among any number of keys", arguments: 2...24) func duplicates(count: Int) {
    for first in 0..<count - 1 {
      let keys = (0..<count - 1).map { "k\($0)" } + ["k\(first)"]
      let text = "{" + keys.map { "\"\($0)\":0" }.joined(separator: ",") + "}"
      #expect(throws: JSONError.self) { try JSONValue.parse(text) }
    }
  }

  @Test(
    "text survives a round trip with the order of its members",
    arguments: [
      #"{"b":1,"a":[true,false,null,-2.5,"é\n"],"c":{}}"#, "[]", "0", #""\"\\ \u0001""#,
    ]) func roundTrip(text: String) throws
  {
    #expect(try JSONValue.parse(text).encoded() == text)
  }

  @Test(
    "numbers are spelt as ECMAScript spells them",
    arguments: [
      (1e-5, "0.00001"), (1e-7, "1e-7"), (1e21, "1e+21"), (123_456_789_012_345_680, "123456789012345680"), (1.5, "1.5"), (-0.0, "0"),
      (.leastNonzeroMagnitude, "5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"), (100, "100"), (0.1, "0.1"),
      (1e20, "100000000000000000000"),
    ]) func numbers(value: Double, text: String)
  {
    #expect(JSONText.number(value) == text)
  }

  @Test("every double reads back as itself") func doublesReadBack() throws {
    var state: UInt64 = 7
    for _ in 0..<20_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let value = Double(bitPattern: state)
      guard value.isFinite else { continue }
      #expect(try JSONValue.parse(JSONText.number(value)).numberValue == value)
    }
  }

  @Test("strings differ when their bytes differ") func bytesDecide() {
    #expect(JSONValue.string("é") != JSONValue.string("e\u{301}"))
    #expect(JSONValue.integer(1) == JSONValue.number(1))
  }

  @Test(
    "a damaged text is one located error",
    arguments: [
      ("{\"a\":1,\n \"a\":2}", "line 2, column 2: duplicate key \"a\""),
      ("[1,", "line 1, column 4: the text ends where a value should stand"),
      ("[1] x", "line 1, column 5: text after the end of the document"), ("01", "line 1, column 2: a number may not begin with 0"),
      ("\"a", "line 1, column 3: the text ends inside a string"), ("1e999", "line 1, column 1: number 1e999 is out of range"),
      ("{\"a\" 1}", "line 1, column 6: expected ':' after a key"), ("\"\\q\"", "line 1, column 4: unknown escape in a string"),
    ]) func errors(text: String, message: String)
  {
    #expect(throws: JSONError.self) { try JSONValue.parse(text) }
    do { _ = try JSONValue.parse(text) } catch { #expect(error.description == message) }
  }

  @Test("depth is bounded") func depth() {
    #expect(throws: JSONError.self) { try JSONValue.parse(String(repeating: "[", count: 100_000)) }
  }

  @Test("surrogate pairs join, lone ones become the replacement character") func surrogates() throws {
    #expect(try JSONValue.parse(#""\ud83d\ude00\ud83d""#).stringValue == "😀\u{FFFD}")
  }

  struct Point: Decodable {
    var x: Int
    var label: String?
    var more: [Double]
  }

  @Test("decoding says which value is wrong") func decoding() throws {
    let point = try JSONValue.parse(#"{"x":3.0,"more":[1,2.5]}"#).decodeRecordingKeys(Point.self)
    #expect(point.value.x == 3 && point.value.label == nil && point.value.more == [1, 2.5])
    #expect(point.keys == ["x", "label", "more"])
    #expect(throws: JSONDecodingError(path: "more[1]", message: "expected a number, found a string")) {
      try JSONValue.parse(#"{"x":3,"more":[1,"2"]}"#).decode(Point.self)
    }
    #expect(throws: JSONDecodingError(path: "", message: "'x' is missing")) { try JSONValue.parse(#"{"more":[]}"#).decode(Point.self) }
  }

  @Test("integers of every width decode, within their bounds") func widths() throws {
    #expect(try JSONValue.parse("[1,-2]").decode([Int32].self) == [1, -2])
    #expect(try JSONValue.parse("255").decode(UInt8.self) == 255)
    #expect(throws: JSONDecodingError(path: "", message: "expected an integer from 0 to 255, found 256")) {
      try JSONValue.parse("256").decode(UInt8.self)
    }
    #expect(throws: JSONDecodingError(path: "", message: "expected an integer of at least 0, found -1")) {
      try JSONValue.parse("-1").decode(UInt64.self)
    }
  }
}
