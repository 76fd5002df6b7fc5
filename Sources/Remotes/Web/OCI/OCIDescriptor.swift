import Hashing
import JSONValues

/// What an OCI manifest says of something else: its digest, size and kind. What comes from a registry is checked when the bytes come.
package struct OCIDescriptor: Hashable, Sendable {
  package var mediaType: String
  package let digest: Digest
  package let size: Int
  package var artifactType: String?
  package var annotations: [String: String] = [:]

  package static let titleKey = "org.opencontainers.image.title"
  package static let pathKey = "org.cncf.model.filepath"

  /// What the specification has for "nothing": `{}`.
  package static let empty = OCIDescriptor("application/vnd.oci.empty.v1+json", of: Array("{}".utf8))

  package init(mediaType: String, digest: Digest, size: Int, artifactType: String? = nil) {
    self.mediaType = mediaType
    self.digest = digest
    self.size = size
    self.artifactType = artifactType
  }

  package init(_ mediaType: String, of bytes: [UInt8]) {
    self.init(mediaType: mediaType, digest: Digest(hashing: bytes), size: bytes.count)
  }

  /// A blob as a layer, with its name and its kind.
  package init(_ blob: Blob) {
    let kind = blob.mediaType ?? blob.title.map(ModelPackType.of) ?? ModelPackType.unknown
    self.init(mediaType: kind, digest: blob.digest, size: blob.size)
    guard let title = blob.title else { return }
    annotations[Self.titleKey] = title
    if kind.hasPrefix(ModelPackType.prefix) { annotations[Self.pathKey] = title }
  }

  /// Nil for what is none: another kind of digest, a size below zero.
  package init?(_ value: JSONValue) {
    guard let text = value["digest"]?.stringValue, text.hasPrefix("sha256:"), let digest = Digest(text) else { return nil }
    guard let size = value["size"]?.integerValue, size >= 0 else { return nil }
    self.init(
      mediaType: value["mediaType"]?.stringValue ?? "", digest: digest, size: size, artifactType: value["artifactType"]?.stringValue)
    for (key, value) in value["annotations"]?.objectValue?.members ?? [] { annotations[key] = value.stringValue }
  }

  package var json: JSONValue {
    var object = JSONObject([("mediaType", .string(mediaType)), ("digest", .string(digest.text)), ("size", .integer(size))])
    if let artifactType { object.append("artifactType", .string(artifactType)) }
    if !annotations.isEmpty {
      object.append("annotations", .object(JSONObject(annotations.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })))
    }
    return .object(object)
  }
}

/// The CNCF ModelPack specification's media types for files that are stored as they are, by what the file is called.
package enum ModelPackType {
  package static let prefix = "application/vnd.cncf.model."
  package static let weights = prefix + "weight.v1.raw"
  package static let unknown = "application/octet-stream"

  package static func of(_ title: String) -> String {
    let name = title.split(separator: "/").last.map { $0.lowercased() } ?? ""
    func ends(_ ends: String...) -> Bool { ends.contains { name.hasSuffix($0) } }
    if ends(".safetensors", ".gguf", ".bin", ".pt", ".npz") { return weights }
    if ends(".jsonl", ".parquet", ".arrow") { return prefix + "dataset.v1.raw" }
    if ends(".json", ".jinja", ".model", "merges.txt", "vocab.txt") { return prefix + "weight.config.v1.raw" }
    if ends(".md", ".html", ".svg", "license", "readme") { return prefix + "doc.v1.raw" }
    if ends(".py", ".sh", ".yaml", ".yml", ".swift", ".toml", ".lock") { return prefix + "code.v1.raw" }
    return unknown
  }
}
