import Artifacts
import Glibc
import Hashing
import JSONValues

/// Writes a recipe as a directory in the OCI image layout: the document is the configuration, every file a layer as it is. Tools of
/// registries copy it as they are used to; what they pull under the layers' titles is an exported directory.
package enum LayoutExport {
  package static let artifactType = "application/vnd.heirloom.recipe.v1+json"
  package static let configType = "application/vnd.heirloom.recipe.config.v1+json"
  static let manifestType = "application/vnd.oci.image.manifest.v1+json"
  static let indexType = "application/vnd.oci.image.index.v1+json"
  static let marker = "oci-layout"
  static let titleKey = "org.opencontainers.image.title"

  /// Into a directory that is empty or not there; it appears whole or not at all.
  package static func write(
    _ package: RecipePackage, to directory: String, files: FileSystem = .posix, meter: WorkMeter? = nil
  ) throws {
    if let status = try files.status(directory) {
      guard status.kind == .directory, try files.list(directory)?.isEmpty == true else {
        throw SharingError("is not an empty directory", at: directory)
      }
    }
    meter?.begin("writing \(directory)", bytes: package.size)
    let temporary = directory + ArchiveExport.temporarySuffix()
    do {
      try fill(temporary, package, files, meter)
      try files.rename(temporary, to: directory)
    } catch {
      try? files.remove(temporary)
      throw error
    }
  }

  private static func fill(_ directory: String, _ package: RecipePackage, _ files: FileSystem, _ meter: WorkMeter?) throws {
    let blobs = directory + "/blobs/sha256"
    try files.makeDirectory(blobs)
    for item in package.items {
      let path = "\(blobs)/\(item.entry.digest.hex)"
      guard try !files.exists(path) else { continue }
      let descriptor = try files.open(path, O_WRONLY | O_CREAT | O_EXCL)
      defer { closeFile(descriptor) }
      try package.read(item, files) { piece in
        try files.write(piece, descriptor, path)
        meter?.add(bytes: piece.count)
      }
    }
    let (manifest, document) = (self.manifest(package), package.document.bytes)
    for bytes in [document, manifest] { try files.write(bytes, to: "\(blobs)/\(Digest(hashing: bytes).hex)") }
    try files.write(Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), to: "\(directory)/\(marker)")
    try files.write(index(manifest, recipe: package.document.recipe), to: directory + "/index.json")
    try files.syncAll(directory)
  }

  // MARK: - Documents

  /// The image manifest of a recipe: what a registry is given, too.
  package static func manifest(_ package: RecipePackage) -> [UInt8] {
    let document = package.document.bytes
    var layers = [descriptor(document, "application/json", title: RecipeDocument.name)]
    for item in package.items {
      var annotations = JSONObject([(titleKey, .string(item.entry.path.text))])
      if let artifact = item.artifact { annotations.set("org.cncf.model.filepath", .string(artifact)) }
      layers.append([
        "mediaType": .string(MediaType.of(item)), "digest": .string(item.entry.digest.text), "size": .integer(item.entry.size),
        "annotations": .object(annotations),
      ])
    }
    let json: JSONValue = [
      "schemaVersion": 2, "mediaType": .string(manifestType), "artifactType": .string(artifactType),
      "config": descriptor(document, configType), "layers": .array(layers),
      "annotations": ["org.opencontainers.image.title": .string(package.document.recipe)],
    ]
    return json.encodedBytes()
  }

  private static func index(_ manifest: [UInt8], recipe: String) -> [UInt8] {
    guard case .object(var entry) = descriptor(manifest, manifestType) else { return [] }
    entry.set("artifactType", .string(artifactType))
    entry.set("annotations", ["org.opencontainers.image.ref.name": .string(recipe)])
    let json: JSONValue = ["schemaVersion": 2, "mediaType": .string(indexType), "manifests": [.object(entry)]]
    return json.encodedBytes()
  }

  private static func descriptor(_ bytes: [UInt8], _ type: String, title: String? = nil) -> JSONValue {
    var object = JSONObject([
      ("mediaType", .string(type)), ("digest", .string(Digest(hashing: bytes).text)), ("size", .integer(bytes.count)),
    ])
    if let title { object.set("annotations", .object(JSONObject([(titleKey, .string(title))]))) }
    return .object(object)
  }
}

/// What registries call the files of a recipe; ModelPack's names for what a model is made of.
package enum MediaType {
  package static let weights = "application/vnd.cncf.model.weight.v1.raw"
  package static let weightConfiguration = "application/vnd.cncf.model.weight.config.v1.raw"

  static func of(_ item: RecipePackage.Item) -> String { of(item.artifact ?? item.entry.path.text, isArtifact: item.artifact != nil) }

  /// - Parameter isArtifact: an output of a stage, among which a `config.json` is a model's.
  package static func of(_ name: String, isArtifact: Bool) -> String {
    let file = name.split(separator: "/").last.map(String.init) ?? name
    if [".safetensors", ".gguf"].contains(where: file.hasSuffix) { return weights }
    let configurations = [
      "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "adapter_config.json",
      "model.safetensors.index.json",
      "chat_template.jinja", "special_tokens_map.json",
    ]
    if isArtifact, configurations.contains(file), name != file { return weightConfiguration }
    if [".yaml", ".yml"].contains(where: file.hasSuffix) { return "application/yaml" }
    return [".json", ".lock"].contains(where: file.hasSuffix) ? "application/json" : "application/octet-stream"
  }
}
