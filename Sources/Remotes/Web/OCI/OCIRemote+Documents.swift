import Diagnostics
import Hashing
import JSONValues
import NIOHTTP1

extension OCIRemote {
  private static let mostTags = 16 << 20
  private static let mostPages = 1000
  /// Results that an index names; more of them are found by their own tags alone, for the index would be longer than registries take.
  private static let mostIndexed = 8000

  // MARK: - Reading

  package func document(_ name: RemoteDocument, limit: Int) async throws -> [UInt8]? {
    guard let (outer, _) = try await manifest(OCITag.of(name)) else { return nil }
    var content = try content(outer, name)
    if case .index(let own) = content {
      guard let (inner, found) = try await manifest(own.digest.text), found.digest == own.digest else {
        throw RemoteError(.damaged, "\(shown(name)): its index names a manifest that is not there")
      }
      content = try self.content(inner, name)
    }
    guard case .document(let config) = content else { throw RemoteError(.damaged, "\(shown(name)): is an index of an index") }
    guard config.size <= limit else {
      throw RemoteError(.damaged, "\(shown(name)): has \(config.size) bytes, more than the \(limit) that make sense")
    }
    return try await bytes(config, "the document of \(shown(name))")
  }

  private func content(_ manifest: JSONValue, _ name: RemoteDocument) throws(RemoteError) -> OCIManifest.Content {
    do throws(OCIManifest.Unreadable) { return try OCIManifest.read(manifest, of: name) } catch {
      throw RemoteError(.damaged, "\(shown(name)): \(error.message)")
    }
  }

  /// The manifest of a tag or digest, and what it is; nil when there is none.
  func manifest(_ reference: String) async throws -> (JSONValue, OCIDescriptor)? {
    var request = WebRequest(.GET, client.url("manifests/\(reference)"))
    for type in OCIManifest.accepted { request.headers.add(name: "accept", value: type) }
    let answer = try await client.send(request)
    if answer.status == 404 { return nil }
    guard answer.status == 200 else { throw RegistryProblem.error(answer, await answer.excerpt(), address, "read a manifest") }
    let bytes = try await answer.bytes(OCIManifest.mostBytes, "the manifest \(reference)")
    let descriptor = OCIDescriptor(answer.header("content-type") ?? OCIManifest.imageType, of: bytes)
    if let said = answer.header("docker-content-digest"), said.hasPrefix("sha256:"), Digest(said) != descriptor.digest {
      throw RemoteError(.damaged, "\(address): the manifest \(reference) has other bytes than the registry says")
    }
    do throws(JSONError) { return (try JSONValue(parsing: bytes, maximumDepth: 32), descriptor) } catch {
      throw RemoteError(.damaged, "\(address): the manifest \(reference) is no JSON: \(VisibleText.line(error.description, on: .terminal))")
    }
  }

  private func bytes(_ descriptor: OCIDescriptor, _ what: String) async throws -> [UInt8] {
    let answer = try await client.send(WebRequest(.GET, client.url("blobs/\(descriptor.digest.text)")))
    guard answer.status == 200 else {
      if answer.status == 404 { throw RemoteError(.damaged, "\(what) is not there") }
      throw RegistryProblem.error(answer, await answer.excerpt(), address, "read a document")
    }
    let bytes = try await answer.bytes(descriptor.size, what)
    guard Digest(hashing: bytes) == descriptor.digest else { throw RemoteError(.damaged, "\(what) has other bytes than its digest says") }
    return bytes
  }

  private func shown(_ name: RemoteDocument) -> String { "\(address):\(OCITag.of(name))" }

  // MARK: - Writing

  package func put(_ name: RemoteDocument, _ bytes: [UInt8], blobs: [Blob]) async throws {
    try await put(name, bytes, blobs: blobs, upon: [])
  }

  /// A run with results becomes an index of them; a statement is attached to what it is about.
  package func put(_ name: RemoteDocument, _ bytes: [UInt8], blobs: [Blob], upon documents: [RemoteDocument]) async throws {
    let config = OCIDescriptor(OCIManifest.artifactType(name.kind), of: bytes)
    try await store(config, bytes)
    if blobs.isEmpty { try await store(.empty, Array("{}".utf8)) }
    switch name.kind {
    case .tags where !documents.isEmpty:
      let run = OCIManifest.image(name, config: config, blobs: blobs)
      try await put(run, OCITag.run(name))
      let results = try await documents.prefix(Self.mostIndexed).map { $0 }.mappedAtOnce(8) { try await self.descriptor($0) }
      try await put(OCIManifest.index(name, [run.descriptor] + results.compactMap { $0 }), OCITag.of(name), name)
    case .statements where documents.count == 1:
      guard let subject = try await descriptor(documents[0]) else {
        throw RemoteError(.lasting, "\(shown(documents[0])) is not there, so nothing can be said of it")
      }
      let manifest = OCIManifest.image(name, config: config, blobs: blobs, subject: subject)
      let listed = try await put(manifest, OCITag.of(name), name)
      if !listed { try await refer(manifest.descriptor, to: subject) }
    default: try await put(OCIManifest.image(name, config: config, blobs: blobs), OCITag.of(name), name)
    }
  }

  private func store(_ descriptor: OCIDescriptor, _ bytes: [UInt8]) async throws {
    try await put(Blob(descriptor.digest, size: descriptor.size), BytesSource(bytes)) { _ in }
  }

  /// Whether the registry says that it lists what this is about.
  @discardableResult
  private func put(_ manifest: OCIManifest, _ tag: String, _ name: RemoteDocument? = nil) async throws -> Bool {
    guard manifest.bytes.count <= OCIManifest.mostBytes else {
      throw RemoteError(.lasting, "\(address):\(tag): names more than fits into the \(OCIManifest.mostBytes) bytes of a manifest")
    }
    let headers: HTTPHeaders = ["content-type": manifest.descriptor.mediaType]
    let answer = try await client.send(WebRequest(.PUT, client.url("manifests/\(tag)"), headers: headers, body: .bytes(manifest.bytes)))
    guard answer.isSuccess else {
      let body = await answer.excerpt()
      if ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"].contains(RegistryProblem.code(body)) {
        throw RemoteError(.passing, "\(address): the registry lost a blob that it had\(RegistryProblem.text(body))")
      }
      throw RegistryProblem.error(answer, body, address, "store a manifest")
    }
    if let said = answer.header("docker-content-digest"), said.hasPrefix("sha256:"), Digest(said) != manifest.descriptor.digest {
      throw RemoteError(.damaged, "\(address):\(tag): the registry stored another manifest than it was given")
    }
    if let name { manifests.withLock { $0[name] = manifest.descriptor } }
    return answer.header("oci-subject") != nil
  }

  /// What a document's manifest is; nil when there is none.
  private func descriptor(_ name: RemoteDocument) async throws -> OCIDescriptor? {
    if let known = manifests.withLock({ $0[name] }) { return known }
    guard let (value, found) = try await manifest(OCITag.of(name)) else { return nil }
    var descriptor = found
    descriptor.artifactType = value["artifactType"]?.stringValue
    manifests.withLock { $0[name] = descriptor }
    return descriptor
  }

  /// How referrers are listed where the registry does not do it itself: an index under a tag made of the subject's digest.
  private func refer(_ manifest: OCIDescriptor, to subject: OCIDescriptor) async throws {
    let tag = "sha256-\(subject.digest.hex)"
    // Somebody may write the same list meanwhile: look whether it stayed.
    for _ in 0..<4 {
      let known = try await manifestsListed(tag)
      if known.contains(where: { $0.digest == manifest.digest }) { return }
      try await put(OCIManifest.index(known + [manifest]), tag)
    }
  }

  private func manifestsListed(_ tag: String) async throws -> [OCIDescriptor] {
    guard let (value, _) = try await manifest(tag) else { return [] }
    return (value["manifests"]?.arrayValue ?? []).compactMap { OCIDescriptor($0) }
  }

  // MARK: - Listing

  package func documents(_ kind: RemoteDocument.Kind) async throws -> [RemoteDocument]? {
    var found: Set<RemoteDocument> = []
    var next: WebURL? = client.url("tags/list").adding("n", "1000")
    for _ in 0..<Self.mostPages {
      guard let url = next else { return found.sorted { $0.name < $1.name } }
      let answer = try await client.send(WebRequest(.GET, url))
      if answer.status == 404 { return [] }
      guard answer.status == 200 else { throw RegistryProblem.error(answer, await answer.excerpt(), address, "list tags") }
      let page = try await answer.json(Self.mostTags, "the list of tags")
      let tags = (page["tags"]?.arrayValue ?? []).compactMap(\.stringValue)
      found.formUnion(tags.compactMap { OCITag.document($0, kind) })
      next = tags.isEmpty ? nil : nextPage(answer)
      guard found.count <= 1_000_000 else { break }
    }
    throw RemoteError(.damaged, "\(address): the list of tags does not end")
  }

  /// `Link: </v2/…/tags/list?last=x&n=1000>; rel="next"`
  private func nextPage(_ answer: WebAnswer) -> WebURL? {
    guard let link = answer.header("link"), link.contains("rel=\"next\"") || link.contains("rel=next"), link.first == "<" else {
      return nil
    }
    guard let url = answer.url.resolving(String(link.dropFirst().prefix { $0 != ">" })) else { return nil }
    return url.isSamePlace(as: client.address.server) ? url : nil
  }
}
