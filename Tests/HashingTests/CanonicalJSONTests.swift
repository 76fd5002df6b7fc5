import Hashing
import JSONValues
import Testing

struct CanonicalJSONTests {
  @Test("RFC 8785, section 3.2.2: the example of serialisation")
  func example() throws {
    let input = #"""
      {"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
       "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
       "literals": [null, true, false]}
      """#
    let expected =
      #"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
    #expect(CanonicalJSON.text(try JSONValue.parse(input)) == expected)
  }

  @Test("RFC 8785, section 3.2.3: members in the order of UTF-16 code units")
  func order() throws {
    let input = #"""
      {"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
       "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"}
      """#
    let values = try JSONValue(parsing: CanonicalJSON.bytes(JSONValue.parse(input))).objectValue?.members.map(\.value.stringValue)
    #expect(
      values == [
        "Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign", "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
      ])
  }

  @Test(
    "RFC 8785, appendix B: numbers by their bits",
    arguments: [
      (0x0000_0000_0000_0000, "0"), (0x8000_0000_0000_0000, "0"), (0x0000_0000_0000_0001, "5e-324"), (0x8000_0000_0000_0001, "-5e-324"),
      (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"), (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
      (0x4340_0000_0000_0000, "9007199254740992"), (0xc340_0000_0000_0000, "-9007199254740992"),
      (0x4430_0000_0000_0000, "295147905179352830000"),
      (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"), (0x44b5_2d02_c7e1_4af6, "1e+23"), (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
      (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"), (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"), (0x444b_1ae4_d6e2_ef50, "1e+21"),
      (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"), (0x3eb0_c6f7_a0b5_ed8d, "0.000001"), (0x41b3_de43_5555_5553, "333333333.3333332"),
      (0x41b3_de43_5555_5554, "333333333.33333325"), (0x41b3_de43_5555_5555, "333333333.3333333"),
      (0x41b3_de43_5555_5556, "333333333.3333334"),
      (0x41b3_de43_5555_5557, "333333333.33333343"), (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
      (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ] as [(UInt64, String)])
  func numbers(bits: UInt64, text: String) {
    #expect(CanonicalJSON.text(.number(Double(bitPattern: bits))) == text)
  }

  @Test("1 and 1.0 encode alike; two 64-bit integers never do")
  func integers() {
    #expect(CanonicalJSON.text(.number(1)) == CanonicalJSON.text(.integer(1)))
    #expect(CanonicalJSON.text(.integer(.max)) == "9223372036854775807")
    #expect(CanonicalJSON.text(.integer(.max - 1)) == "9223372036854775806")
    #expect(CanonicalJSON.text([.number(.nan), .number(.infinity)]) == "[null,null]")
  }
}

struct DigestTests {
  @Test("SHA-256 of the empty text, of abc and of a million a's (FIPS 180-2)")
  func known() {
    #expect(Digest(hashing: "").hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(Digest(hashing: "abc").text == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    var hasher = DigestHasher()
    for _ in 0..<1000 { hasher.update([UInt8](repeating: 0x61, count: 1000)) }
    #expect(hasher.finish().hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test("a digest reads back from its text, its digits in either case, and its bytes")
  func roundTrip() {
    let digest = Digest(hashing: "abc")
    #expect(Digest(digest.text) == digest)
    #expect(Digest(digest.hex.uppercased()) == digest)
    #expect(Digest(bytes: digest.bytes) == digest)
    #expect(Digest("sha256:" + String(digest.hex.dropLast())) == nil)
    #expect(Digest(String(repeating: "g", count: 64)) == nil)
    #expect(Digest("sha256:sha256:\(digest.hex)") == nil)
  }

  @Test("a file's digest is that of its bytes; a missing one says why")
  func files() throws {
    let own = #filePath
    let (digest, size) = try Digest.ofFile(own)
    #expect(size > 0 && digest.hex.count == 64)
    #expect(throws: FileHashingError(path: "/nowhere/x", code: 2)) { try Digest.ofFile("/nowhere/x") }
  }
}
