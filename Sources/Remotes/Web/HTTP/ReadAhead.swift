import Artifacts
import NIOCore
import Synchronization

/// Part of a source as the body of a request: read on a thread of its own, a few pieces ahead of what the connection takes, so that reading
/// (and the hashing that sources do) and sending overlap and memory stays flat. It is read once.
package final class ReadAhead: AsyncSequence, Sendable {
  package typealias Element = ByteBuffer

  package let count: Int
  /// Bytes as they are taken to be sent; ends with them.
  package let taken: AsyncStream<Int>

  private let source: any BlobSource
  private let offset: Int
  private let announce: AsyncStream<Int>.Continuation
  private let state = Mutex(State())

  /// Every piece goes through three threads, which on a busy machine takes its time: few large ones for what is large.
  private let piece: Int
  private static let ahead = 3

  private struct State {
    var isRunning = false
    var isStopped = false
    var next = 0
    var pieces: [ByteBuffer] = []
    var failure: (any Error)?
    var waiter: CheckedContinuation<ByteBuffer?, any Error>?
  }

  package init(_ source: any BlobSource, from offset: Int, count: Int) {
    self.source = source
    self.offset = offset
    self.count = count
    piece = count > 64 << 20 ? 4 << 20 : 1 << 20
    (taken, announce) = AsyncStream.makeStream()
  }

  deinit { announce.finish() }

  /// Why the source could not be read.
  package var failure: (any Error)? { state.withLock { $0.failure } }

  /// Nobody wants more.
  package func stop() {
    announce.finish()
    let waiter = state.withLock { state in
      state.isStopped = true
      state.pieces = []
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume(throwing: CancellationError())
  }

  package struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let body: ReadAhead
    package mutating func next() async throws -> ByteBuffer? { try await body.take() }
  }

  package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(body: self) }

  // MARK: - Taking

  private enum Taking {
    case piece(ByteBuffer)
    case failure(any Error)
    case end
    case wait
  }

  private func take() async throws -> ByteBuffer? {
    let piece = try await withCheckedThrowingContinuation { (waiter: CheckedContinuation<ByteBuffer?, any Error>) in
      let (taking, starts) = state.withLock { state in
        let taking = Self.taking(&state, count, waiter)
        let starts = !state.isRunning && !state.isStopped && state.failure == nil && state.next < count && state.pieces.count < Self.ahead
        if starts { state.isRunning = true }
        return (taking, starts)
      }
      // The reader ends when it is ahead enough, and begins again here: a thread that waits for the network would be one too many.
      if starts { startThread { self.read() } }
      switch taking {
      case .piece(let piece): waiter.resume(returning: piece)
      case .failure(let error): waiter.resume(throwing: error)
      case .end: waiter.resume(returning: nil)
      case .wait: break
      }
    }
    if let piece { announce.yield(piece.readableBytes) } else { announce.finish() }
    return piece
  }

  private static func taking(_ state: inout State, _ count: Int, _ waiter: CheckedContinuation<ByteBuffer?, any Error>) -> Taking {
    if state.isStopped { return .failure(CancellationError()) }
    if !state.pieces.isEmpty { return .piece(state.pieces.removeFirst()) }
    if let failure = state.failure { return .failure(failure) }
    if state.next >= count { return .end }
    state.waiter = waiter
    return .wait
  }

  // MARK: - Reading

  private func read() {
    while let start = nextPlace() {
      do {
        let bytes = try source.read(offset + start, Swift.min(piece, count - start))
        guard !bytes.isEmpty else { throw RemoteError(.lasting, "a file is shorter than it was when its transfer began") }
        give(.success(ByteBuffer(bytes: bytes)))
      } catch {
        give(.failure(error))
      }
    }
  }

  /// Where to read next; nil when the reader has to end.
  private func nextPlace() -> Int? {
    state.withLock { state in
      guard !state.isStopped, state.failure == nil, state.next < count, state.pieces.count < Self.ahead else {
        state.isRunning = false
        return nil
      }
      return state.next
    }
  }

  private func give(_ result: Result<ByteBuffer, any Error>) {
    let waiter = state.withLock { state in
      switch result {
      case .success(let piece):
        state.next += piece.readableBytes
        if state.waiter == nil, !state.isStopped { state.pieces.append(piece) }
      case .failure(let error): state.failure = error
      }
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume(with: result.map { $0 })
  }
}
