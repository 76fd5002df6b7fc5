import Diagnostics
import Hashing
import JSONValues
import NIOHTTP1
import Synchronization

/// A repository of a container registry as a remote (OCI distribution 1.1): blobs as they are, every document as a manifest's configuration
/// under a tag. It trusts no answer and tries nothing twice.
package final class OCIRemote: Remote {
  package let address: String
  package var tag: String? { client.address.tag }
  package let client: RegistryClient
  private let notes: UploadNotes
  private let chunk = ChunkLimit()
  /// Of documents that were written or read, so that an index of them need not ask again.
  package let manifests = Mutex<[RemoteDocument: OCIDescriptor]>([:])

  /// - Parameter notes: a directory where begun uploads are remembered beyond this process.
  package init(_ address: String, environment: [String: String], notes: String? = nil) throws(RemoteError) {
    let place = try OCIAddress(address)
    self.address = place.text
    client = RegistryClient(place, environment: environment)
    self.notes = UploadNotes(notes)
  }

  package init(_ client: RegistryClient, notes: String? = nil) {
    address = client.address.text
    self.client = client
    self.notes = UploadNotes(notes)
  }

  package func close() async { await client.close() }

  // MARK: - Blobs

  package func missing(_ blobs: [Blob]) async throws -> [Blob] {
    try await blobs.filteredAtOnce(8) { try await !self.has($0) }
  }

  private func has(_ blob: Blob) async throws -> Bool {
    let answer = try await client.send(WebRequest(.HEAD, client.url("blobs/\(blob.digest.text)")))
    switch answer.status {
    case 200: return answer.contentLength.map { $0 == blob.size } ?? true
    case 404: return false
    default: throw RegistryProblem.error(answer, await answer.excerpt(), address, "look for a blob")
    }
  }

  package func get(_ blob: Blob, from offset: Int, _ sink: (UnsafeRawBufferPointer) throws -> Void) async throws {
    guard offset < blob.size else { return }
    var request = WebRequest(.GET, client.url("blobs/\(blob.digest.text)"))
    request.isStreamed = true
    if offset > 0 { request.headers.add(name: "range", value: "bytes=\(offset)-") }
    let answer = try await client.send(request)
    try await RangedAnswer(answer, of: blob, from: offset, address).deliver(sink) { body in
      RegistryProblem.error(answer, body, self.address, "read a blob")
    }
  }

  package func put(_ blob: Blob, _ source: any BlobSource, progress: @Sendable (Int) -> Void) async throws {
    try await BlobUpload(client, notes, chunk, blob, source).run(progress: progress)
  }
}

extension Array where Element: Sendable {
  /// Those for which it is so, in their order, asked at most `most` at once.
  package func filteredAtOnce(_ most: Int, _ isSo: @escaping @Sendable (Element) async throws -> Bool) async throws -> [Element] {
    let answers = try await mappedAtOnce(most, isSo)
    return zip(self, answers).filter(\.1).map(\.0)
  }

  /// What each gives, in their order, at most `most` at once.
  package func mappedAtOnce<Answer: Sendable>(
    _ most: Int, _ body: @escaping @Sendable (Element) async throws -> Answer
  ) async throws -> [Answer] {
    try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
      var answers = [Answer?](repeating: nil, count: count)
      for (index, element) in enumerated() {
        if index >= most, let (place, answer) = try await group.next() { answers[place] = answer }
        group.addTask { (index, try await body(element)) }
      }
      for try await (place, answer) in group { answers[place] = answer }
      return answers.compactMap { $0 }
    }
  }
}
