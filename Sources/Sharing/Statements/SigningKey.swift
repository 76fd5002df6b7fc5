import Crypto
import Foundation
import Hashing

/// An Ed25519 key as `openssl genpkey -algorithm ed25519` writes it: PKCS#8 in PEM; its public half as SubjectPublicKeyInfo.
package struct SigningKey: Sendable {
  private let key: Curve25519.Signing.PrivateKey

  /// The texts of other kinds of keys are refused by name.
  package init(pem: [UInt8], at place: String) throws(SharingError) {
    let bytes = try PEM.decode(pem, label: "PRIVATE KEY", at: place)
    // Version 0, the algorithm's identifier (1.3.101.112), and the seed in an octet string of its own.
    let head: [UInt8] = [0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]
    guard bytes.count == head.count + 32, bytes.starts(with: head),
      let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes.suffix(32))
    else { throw SharingError("is no Ed25519 private key (openssl genpkey -algorithm ed25519 makes one)", at: place) }
    self.key = key
  }

  package init() { key = Curve25519.Signing.PrivateKey() }

  package var verifyingKey: VerifyingKey { VerifyingKey(key.publicKey) }

  func signature(_ message: [UInt8]) throws(SharingError) -> [UInt8] {
    do { return Array(try key.signature(for: message)) } catch { throw SharingError("cannot sign: \(error)") }
  }
}

package struct VerifyingKey: Sendable {
  private let key: Curve25519.Signing.PublicKey
  private static let head: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]

  fileprivate init(_ key: Curve25519.Signing.PublicKey) { self.key = key }

  package init(pem: [UInt8], at place: String) throws(SharingError) {
    let bytes = try PEM.decode(pem, label: "PUBLIC KEY", at: place)
    guard bytes.count == Self.head.count + 32, bytes.starts(with: Self.head),
      let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes.suffix(32))
    else { throw SharingError("is no Ed25519 public key (openssl pkey -pubout makes one)", at: place) }
    self.key = key
  }

  private var encoded: [UInt8] { Self.head + Array(key.rawRepresentation) }

  package var pem: String { PEM.encode(encoded, label: "PUBLIC KEY") }

  /// The SHA-256 of the key as it is encoded: which key it was, not whose.
  package var identifier: String { Digest(hashing: encoded).hex }

  func isValid(_ signature: [UInt8], of message: [UInt8]) -> Bool { key.isValidSignature(signature, for: message) }
}

/// Text armour around bytes.
enum PEM {
  private static let mostBytes = 1 << 16

  static func decode(_ text: [UInt8], label: String, at place: String) throws(SharingError) -> [UInt8] {
    guard text.count <= mostBytes, let text = String(validating: text, as: UTF8.self) else {
      throw SharingError("is no PEM file", at: place)
    }
    let lines = text.split(whereSeparator: \.isNewline).map { String($0.trimmingPrefix(while: \.isWhitespace)) }
    guard let start = lines.firstIndex(of: "-----BEGIN \(label)-----"), let end = lines[start...].firstIndex(of: "-----END \(label)-----")
    else {
      let found = lines.first { $0.hasPrefix("-----BEGIN ") }.map { "; it has \($0)" } ?? ""
      throw SharingError("has no part '-----BEGIN \(label)-----'\(found)", at: place)
    }
    guard let data = Data(base64Encoded: lines[(start + 1)..<end].joined()) else { throw SharingError("its base64 is damaged", at: place) }
    return Array(data)
  }

  static func encode(_ bytes: [UInt8], label: String) -> String {
    let text = Array(Data(bytes).base64EncodedString())
    let lines = stride(from: 0, to: text.count, by: 64).map { String(text[$0..<min($0 + 64, text.count)]) }
    return (["-----BEGIN \(label)-----"] + lines + ["-----END \(label)-----", ""]).joined(separator: "\n")
  }
}
