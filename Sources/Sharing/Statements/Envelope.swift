import Foundation
import Hashing
import JSONValues

/// A DSSE envelope (version 1.0): a statement as bytes, and signatures of exactly these bytes and their type.
package struct Envelope: Sendable, Equatable {
  package static let payloadType = "application/vnd.in-toto+json"

  package let payload: [UInt8]
  package let signatures: [(key: String, signature: [UInt8])]

  package static func == (one: Envelope, other: Envelope) -> Bool { one.bytes == other.bytes }

  package init(_ statement: Statement, signedBy key: SigningKey) throws(SharingError) {
    payload = statement.bytes
    signatures = [(key.verifyingKey.identifier, try key.signature(Self.authenticated(payload)))]
  }

  /// What is signed: the pre-authentication encoding of type and payload.
  package static func authenticated(_ payload: [UInt8], type: String = payloadType) -> [UInt8] {
    Array("DSSEv1 \(type.utf8.count) \(type) \(payload.count) ".utf8) + payload
  }

  package var bytes: [UInt8] {
    let json: JSONValue = [
      "payloadType": .string(Self.payloadType), "payload": .string(Data(payload).base64EncodedString()),
      "signatures": .array(
        signatures.map { ["keyid": .string($0.key), "sig": .string(Data($0.signature).base64EncodedString())] }),
    ]
    return json.encodedBytes() + [0x0A]
  }

  package init(reading bytes: [UInt8], at place: String) throws(SharingError) {
    let json: JSONValue
    do throws(JSONError) { json = try JSONValue(parsing: bytes) } catch { throw SharingError("no JSON: \(error)", at: place) }
    if json["_type"] != nil { throw SharingError("is a statement without a signature", at: place) }
    guard json["payloadType"]?.stringValue == Self.payloadType,
      let payload = json["payload"]?.stringValue.flatMap({ Data(base64Encoded: $0) }), let list = json["signatures"]?.arrayValue
    else { throw SharingError("is no DSSE envelope of an in-toto statement", at: place) }
    self.payload = Array(payload)
    signatures = list.compactMap { entry in
      guard let signature = entry["sig"]?.stringValue.flatMap({ Data(base64Encoded: $0) }) else { return nil }
      return (entry["keyid"]?.stringValue ?? "", Array(signature))
    }
    guard signatures.count == list.count, !signatures.isEmpty else { throw SharingError("has no signature that can be read", at: place) }
  }

  /// The statement, if one of the signatures is this key's; the names that signatures give their keys are not believed.
  package func statement(verifiedBy key: VerifyingKey, at place: String) throws(SharingError) -> Statement {
    let message = Self.authenticated(payload)
    guard signatures.contains(where: { key.isValid($0.signature, of: message) }) else {
      throw SharingError("the signature is not this key's (\(key.identifier.prefix(16))…), or the statement was changed", at: place)
    }
    return try Statement(reading: payload, at: place)
  }
}
