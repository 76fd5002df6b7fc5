import Diagnostics
import Hashing
import JSONValues

/// A manifest as Heirloom writes them: a document as the configuration, and one layer, stored as it is, for every blob that the document
/// stands on, so that registries keep what is named. A tag with its results is an index of such manifests.
package struct OCIManifest: Sendable {
  package static let imageType = "application/vnd.oci.image.manifest.v1+json"
  package static let indexType = "application/vnd.oci.image.index.v1+json"
  /// The annotation that names the document.
  package static let nameKey = "vnd.heirloom.document"
  /// What registries take at most.
  package static let mostBytes = 4 << 20
  package static let accepted = [
    imageType, indexType, "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
  ]

  package let bytes: [UInt8]
  package let descriptor: OCIDescriptor

  private init(_ members: JSONObject, mediaType: String, artifactType: String) {
    bytes = JSONValue.object(members).encodedBytes()
    var descriptor = OCIDescriptor(mediaType, of: bytes)
    descriptor.artifactType = artifactType
    self.descriptor = descriptor
  }

  /// What a document of that kind is to a registry.
  package static func artifactType(_ kind: RemoteDocument.Kind) -> String {
    switch kind {
    case .results: "application/vnd.heirloom.result.v1+json"
    case .tags: "application/vnd.heirloom.run.v1+json"
    case .recipes: "application/vnd.heirloom.recipe.v1+json"
    case .statements: "application/vnd.heirloom.statement.v1+json"
    }
  }

  /// - Parameter subject: what the document speaks of; the registry lists it there.
  package static func image(_ name: RemoteDocument, config: OCIDescriptor, blobs: [Blob], subject: OCIDescriptor? = nil) -> OCIManifest {
    let layers = blobs.isEmpty ? [OCIDescriptor.empty] : blobs.map { OCIDescriptor($0) }
    let type = artifactType(name.kind)
    var members = JSONObject([
      ("schemaVersion", 2), ("mediaType", .string(imageType)), ("artifactType", .string(type)), ("config", config.json),
      ("layers", .array(layers.map(\.json))),
    ])
    if let subject {
      var plain = subject
      (plain.annotations, plain.artifactType) = ([:], nil)
      members.append("subject", plain.json)
    }
    members.append("annotations", annotations(name))
    return OCIManifest(members, mediaType: imageType, artifactType: type)
  }

  /// The recipe's manifest first, which clients that want one image take, and the results' after it.
  package static func index(_ name: RemoteDocument, _ manifests: [OCIDescriptor]) -> OCIManifest {
    index(manifests, artifactType: artifactType(name.kind), annotations: annotations(name))
  }

  package static func index(_ manifests: [OCIDescriptor], artifactType: String? = nil, annotations: JSONValue? = nil) -> OCIManifest {
    var members = JSONObject([("schemaVersion", 2), ("mediaType", .string(indexType))])
    if let artifactType { members.append("artifactType", .string(artifactType)) }
    members.append("manifests", .array(manifests.map(\.json)))
    if let annotations { members.append("annotations", annotations) }
    return OCIManifest(members, mediaType: indexType, artifactType: artifactType ?? "")
  }

  private static func annotations(_ name: RemoteDocument) -> JSONValue {
    [nameKey: .string("\(name.kind.rawValue)/\(name.name)"), OCIDescriptor.titleKey: .string(name.name)]
  }

  // MARK: - Reading

  /// What a manifest that came from a registry says.
  package enum Content {
    /// Where the document is.
    case document(OCIDescriptor)
    /// Where the manifest is that says so.
    case index(OCIDescriptor)
  }

  /// Reads the manifest of a document. What is somebody else's is an error, not a document that is not there.
  package static func read(_ value: JSONValue, of name: RemoteDocument) throws(Unreadable) -> Content {
    if let entries = value["manifests"]?.arrayValue {
      guard let own = entries.lazy.compactMap({ OCIDescriptor($0) }).first(where: { $0.artifactType == artifactType(name.kind) }) else {
        throw Unreadable(message: "is an index, but none of Heirloom")
      }
      guard own.size <= mostBytes else { throw Unreadable(message: "names a manifest of \(own.size) bytes") }
      return .index(own)
    }
    guard let config = value["config"].flatMap({ OCIDescriptor($0) }) else { throw Unreadable(message: "is no OCI manifest") }
    let type = value["artifactType"]?.stringValue ?? config.mediaType
    guard type == artifactType(name.kind) else {
      throw Unreadable(message: "is '\(VisibleText.line(type, on: .terminal))', and not what Heirloom writes")
    }
    if let said = value["annotations"]?[nameKey]?.stringValue, said != "\(name.kind.rawValue)/\(name.name)" {
      throw Unreadable(message: "is another document, '\(VisibleText.line(said, on: .terminal))'")
    }
    return .document(config)
  }

  package struct Unreadable: Error {
    let message: String
  }
}
