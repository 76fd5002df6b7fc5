import Hashing
import JSONValues

/// An in-toto Statement v1: a claim about files, known by their digests. It knows no signatures.
package struct Statement: Sendable, Equatable {
  package struct Subject: Sendable, Equatable {
    package let name: String
    package let digest: Digest
    package var annotations: JSONObject

    package init(name: String, digest: Digest, annotations: JSONObject = JSONObject()) {
      self.name = name
      self.digest = digest
      self.annotations = annotations
    }

    package var json: JSONValue {
      var object = JSONObject([("name", .string(name)), ("digest", ["sha256": .string(digest.hex)])])
      if !annotations.isEmpty { object.set("annotations", .object(annotations)) }
      return .object(object)
    }
  }

  package let subjects: [Subject]
  package let predicateType: String
  package let predicate: JSONValue

  static let type = "https://in-toto.io/Statement/v1"
  /// Of statements and of the envelopes around them.
  package static let mostBytes = 64 << 20

  package var json: JSONValue {
    [
      "_type": .string(Self.type), "subject": .array(subjects.map(\.json)), "predicateType": .string(predicateType), "predicate": predicate,
    ]
  }

  package var bytes: [UInt8] { json.encodedBytes() }

  package init(subjects: [Subject], predicateType: String, predicate: JSONValue) {
    self.subjects = subjects
    self.predicateType = predicateType
    self.predicate = predicate
  }

  package init(reading bytes: [UInt8], at place: String) throws(SharingError) {
    let json: JSONValue
    do throws(JSONError) { json = try JSONValue(parsing: bytes) } catch { throw SharingError("no JSON: \(error)", at: place) }
    guard json["_type"]?.stringValue == Self.type, let list = json["subject"]?.arrayValue, let type = json["predicateType"]?.stringValue,
      let predicate = json["predicate"]
    else { throw SharingError("is no in-toto Statement v1", at: place) }
    var subjects: [Subject] = []
    for subject in list {
      guard let name = subject["name"]?.stringValue, let hex = subject["digest"]?["sha256"]?.stringValue, let digest = Digest(hex) else {
        throw SharingError("a subject has no name or no sha256", at: place)
      }
      subjects.append(Subject(name: name, digest: digest, annotations: subject["annotations"]?.objectValue ?? JSONObject()))
    }
    self.init(subjects: subjects, predicateType: type, predicate: predicate)
  }
}
