import Artifacts
import Hashing
import JSONValues

/// Reads what a remote gave as a document: everything that is not exactly what it should be ends it, with one line that says what and where.
struct StrictReading {
  /// What is read: `oci://… results/ab…`.
  let subject: String

  func fail(_ message: String) -> RemoteError { RemoteError(.damaged, "\(subject): \(message); nothing of it was stored") }

  func json(_ bytes: [UInt8], limit: Int, format: String) throws(RemoteError) -> JSONValue {
    guard bytes.count <= limit else { throw fail("is longer than \(limit) bytes") }
    let value: JSONValue
    do { value = try JSONValue(parsing: bytes, maximumDepth: 64) } catch { throw fail("is not JSON (\(error))") }
    guard let found = value["format"]?.stringValue, found == format else { throw fail("is not of the format '\(format)'") }
    return value
  }

  func digest(_ value: JSONValue?, _ name: String) throws(RemoteError) -> Digest {
    guard let text = value?.stringValue, text.utf8.count == 71, let digest = Digest(text), digest.text == text else {
      throw fail("'\(name)' is not a digest")
    }
    return digest
  }

  /// Of bytes.
  func size(_ value: JSONValue?, _ name: String, most: Int = RemoteLimits.blobBytes) throws(RemoteError) -> Int {
    guard case .integer(let size) = value, (0...most).contains(size) else { throw fail("'\(name)' is not a size") }
    return size
  }

  func list(_ value: JSONValue?, _ name: String, most: Int) throws(RemoteError) -> [JSONValue] {
    guard let list = value?.arrayValue else { throw fail("'\(name)' is not a list") }
    guard list.count <= most else { throw fail("'\(name)' has \(list.count) elements, more than \(most)") }
    return list
  }

  func number(_ value: JSONValue?, _ name: String) throws(RemoteError) -> Double {
    guard let number = value?.numberValue, number.isFinite else { throw fail("'\(name)' is not a number") }
    return number
  }

  /// A name that people gave: shown in lists, a part of file names once it is escaped.
  func name(_ value: JSONValue?, _ name: String) throws(RemoteError) -> String {
    guard let text = value?.stringValue, !text.isEmpty, text.utf8.count <= RemoteLimits.nameBytes, text.isPrintable else {
      throw fail("'\(name)' is not a name")
    }
    return text
  }

  /// The name or type of an output, as contracts spell them.
  func word(_ value: JSONValue?, _ name: String) throws(RemoteError) -> String {
    let text = try self.name(value, name)
    let isWord = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
      case UInt8(ascii: "_"), UInt8(ascii: "-"): true
      default: false
      }
    }
    guard isWord, text.utf8.count <= 128 else { throw fail("'\(name)' is not the name of an output or a type") }
    return text
  }
}
