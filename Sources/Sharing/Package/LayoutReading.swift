import Hashing
import JSONValues

/// Finds the recipe in an OCI layout: index, image manifest, document, each checked against the digest that named it.
struct LayoutReading {
  private let path: String
  private static let mostBytes = 64 << 20

  init(_ path: String) { self.path = path }

  func document() throws(SharingError) -> RecipeDocument {
    let marker = try parse(OpenedFile(path, [LayoutExport.marker]).all(4096), LayoutExport.marker)
    guard marker["imageLayoutVersion"]?.stringValue == "1.0.0" else {
      throw SharingError("is of another version of the layout", at: LayoutExport.marker)
    }
    let index = try parse(OpenedFile(path, ["index.json"]).all(Self.mostBytes), "index.json")
    let recipes = (index["manifests"]?.arrayValue ?? []).filter { $0["artifactType"]?.stringValue == LayoutExport.artifactType }
    guard recipes.count == 1 else {
      throw SharingError(recipes.isEmpty ? "holds no recipe" : "holds \(recipes.count) recipes; one is wanted", at: "index.json")
    }
    let manifest = try parse(blob(recipes[0]), "the recipe's manifest")
    guard manifest["artifactType"]?.stringValue == LayoutExport.artifactType, let config = manifest["config"] else {
      throw SharingError("the recipe's manifest is damaged")
    }
    return try RecipeDocument(reading: blob(config, limit: RecipeDocument.mostBytes))
  }

  private func parse(_ bytes: [UInt8], _ name: String) throws(SharingError) -> JSONValue {
    do throws(JSONError) { return try JSONValue(parsing: bytes) } catch { throw SharingError("no JSON: \(error)", at: name) }
  }

  private func blob(_ descriptor: JSONValue, limit: Int = mostBytes) throws(SharingError) -> [UInt8] {
    guard let text = descriptor["digest"]?.stringValue, let digest = Digest(text), digest.text == text,
      let size = descriptor["size"]?.integerValue
    else { throw SharingError("a descriptor has no digest or no size") }
    let name = "blobs/sha256/\(digest.hex)"
    let file = try OpenedFile(path, ["blobs", "sha256", digest.hex])
    guard file.size == size else { throw SharingError("has \(file.size) bytes, and \(size) were declared", at: name) }
    let bytes = try file.all(limit)
    guard Digest(hashing: bytes) == digest else { throw SharingError("has another digest than its name", at: name) }
    return bytes
  }
}
