import Foundation
import Hashing
import JSONValues
import Sharing
import Testing

@Suite("Statements and their signatures") struct StatementTests {
  /// In the form that `openssl genpkey -algorithm ed25519` writes; nobody's.
  private static let privateKey = """
    -----BEGIN PRIVATE KEY-----
    MC4CAQAwBQYDK2VwBCIEIIcCX1jh7HaHbUQoQvTfhP6w+6UHvjaO9r4H3mC1o0w2
    -----END PRIVATE KEY-----
    """

  private let statement = Statement(
    subjects: [Statement.Subject(name: "a.model", digest: Digest(hashing: "x"))], predicateType: "urn:test", predicate: ["n": 1])

  @Test("what is signed is the pre-authentication encoding of DSSE")
  func encoding() {
    let text = String(decoding: Envelope.authenticated(Array("hello world".utf8), type: "http://example.com/HelloWorld"), as: UTF8.self)
    #expect(text == "DSSEv1 29 http://example.com/HelloWorld 11 hello world")
  }

  @Test("a signature holds for its key and its bytes, and for nothing else")
  func signature() throws {
    let key = try SigningKey(pem: Array(Self.privateKey.utf8), at: "k")
    let bytes = try Envelope(statement, signedBy: key).bytes
    let envelope = try Envelope(reading: bytes, at: "e")
    #expect(try envelope.statement(verifiedBy: key.verifyingKey, at: "e") == statement)
    let again = try VerifyingKey(pem: Array(key.verifyingKey.pem.utf8), at: "p")
    #expect(again.identifier == key.verifyingKey.identifier)
    #expect(throws: SharingError.self) { try envelope.statement(verifiedBy: SigningKey().verifyingKey, at: "e") }
    var json = try #require(try JSONValue(parsing: bytes).objectValue)
    let other = Statement(subjects: statement.subjects, predicateType: "urn:test", predicate: ["n": 2])
    json.set("payload", .string(Data(other.bytes).base64EncodedString()))
    let forged = try Envelope(reading: JSONValue.object(json).encodedBytes(), at: "e")
    #expect(throws: SharingError.self) { try forged.statement(verifiedBy: key.verifyingKey, at: "e") }
  }

  @Test(
    "other keys and damaged ones are refused in words",
    arguments: [
      ("", "has no part"), ("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----", "RSA"),
      ("-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----", "Ed25519"),
      ("-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----", "base64"), ("-----BEGIN PRIVATE KEY-----\nMC4C", "has no part"),
    ])
  func keys(_ text: String, _ message: String) {
    let error = #expect(throws: SharingError.self) { try SigningKey(pem: Array(text.utf8), at: "k") }
    #expect(error?.message.contains(message) == true)
  }

  @Test(
    "envelopes that are none are refused",
    arguments: [
      "", "{}", #"{"_type":"https://in-toto.io/Statement/v1"}"#,
      #"{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[]}"#,
      #"{"payloadType":"text/plain","payload":"e30=","signatures":[{"sig":"AA=="}]}"#,
      #"{"payloadType":"application/vnd.in-toto+json","payload":"!","signatures":[{"sig":"AA=="}]}"#,
    ])
  func envelopes(_ text: String) {
    #expect(throws: SharingError.self) { try Envelope(reading: Array(text.utf8), at: "e") }
  }
}
