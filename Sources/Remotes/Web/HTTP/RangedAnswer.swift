/// The answer to "this blob, from there on", which a server may have understood or not. It does not check the bytes.
struct RangedAnswer {
  private let answer: WebAnswer
  private let blob: Blob
  private let offset: Int
  private let address: String

  init(_ answer: WebAnswer, of blob: Blob, from offset: Int, _ address: String) {
    self.answer = answer
    self.blob = blob
    self.offset = offset
    self.address = address
  }

  /// Gives the bytes from the offset on, also when the server sends those before it.
  ///
  /// - Parameter refused: makes an error of any other status and its body.
  func deliver(
    _ sink: (UnsafeRawBufferPointer) throws -> Void, refused: ([UInt8]) -> RemoteError
  ) async throws {
    switch answer.status {
    case 200: try await deliver(leavingOut: offset, sink)
    case 206:
      guard let (start, total) = answer.contentRange, start == offset else {
        throw RemoteError(.damaged, "\(address): asked for \(blob.digest) from byte \(offset), and got another part")
      }
      try checkTotal(total)
      try await deliver(leavingOut: 0, sink)
    case 404, 410: throw RemoteError(.absent, "\(address): \(blob.digest) is not there")
    case 416: throw RemoteError(.damaged, "\(address): \(blob.digest) has fewer bytes there than the \(blob.size) it should have")
    default: throw refused(await answer.excerpt())
    }
  }

  private func checkTotal(_ total: Int?) throws(RemoteError) {
    guard let total, total != blob.size else { return }
    throw RemoteError(.damaged, "\(address): \(blob.digest) has \(total) bytes there instead of \(blob.size)")
  }

  private func deliver(leavingOut unwanted: Int, _ sink: (UnsafeRawBufferPointer) throws -> Void) async throws {
    if answer.status == 200 { try checkTotal(answer.contentLength) }
    var unwanted = unwanted
    try await answer.stream { piece in
      let skipped = min(unwanted, piece.count)
      unwanted -= skipped
      if skipped < piece.count { try sink(UnsafeRawBufferPointer(rebasing: piece[skipped...])) }
    }
  }
}
