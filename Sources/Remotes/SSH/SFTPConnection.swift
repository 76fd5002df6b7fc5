import Artifacts
import CProcesses
import Diagnostics
import Execution
import Glibc

/// One connection to a server's sftp subsystem through the system's `ssh`: many requests at once, answered in any order. A thread of its own
/// reads the answers; whoever asked waits on his own thread, for a limited time.
///
/// It knows requests and answers, no files. What the other side says is bounded: no message longer than `longest`, no answer that nobody
/// asked for.
///
/// `@unchecked Sendable`: every field is guarded by `mutex`, but for the socket, which is written to under `writing` and read by one thread.
final class SFTPConnection: @unchecked Sendable {
  private let address: String
  private let socket: SocketEnd
  private let child: ChildProcess
  private let limitSeconds: Double
  private var mutex = pthread_mutex_t()
  private var answered = pthread_cond_t()
  private var writing = pthread_mutex_t()
  private var nextNumber: UInt32 = 1
  private var waiting: Set<UInt32> = []
  private var answers: [UInt32: (kind: UInt8, bytes: [UInt8])] = [:]
  private var failure: RemoteError?
  private var errorText: [UInt8] = []
  private(set) var extensions: Set<String> = []

  /// OpenSSH sends 256 KiB at most.
  private static let longest = 1 << 20
  private static let firstAnswerBytes = 5

  // MARK: - Connecting

  /// Starts `words` (ssh with its options, host and subsystem) and greets the other side.
  init(_ address: String, words: [String], environment: [String: String], limitSeconds: Double = 60) throws {
    self.address = address
    self.limitSeconds = limitSeconds
    var ends: [Int32] = [-1, -1]
    guard hl_closing_sockets(&ends) == 0 else { throw RemoteError(.passing, "\(address): no socket: \(String(cString: strerror(errno)))") }
    var errors: [Int32] = [-1, -1]
    guard hl_closing_pipe(&errors) == 0 else {
      for end in ends { close(end) }
      throw RemoteError(.passing, "\(address): no pipe: \(String(cString: strerror(errno)))")
    }
    socket = SocketEnd(ends[0])
    child = ChildProcess()
    pthread_mutex_init(&mutex, nil)
    pthread_mutex_init(&writing, nil)
    pthread_cond_init(&answered, nil)
    let order = ProcessOrder(
      words: words, directory: "/", environment: environment, descriptors: [(ends[1], 0), (ends[1], 1), (errors[1], 2)])
    do { _ = try child.start(order) } catch {
      close(ends[1])
      for end in errors { close(end) }
      throw RemoteError(.lasting, "\(address): \(error.message)")
    }
    close(ends[1])
    close(errors[1])
    let (child, errorEnd) = (child, errors[0])
    startThread { _ = child.wait() }
    startThread { [weak self] in Self.collect(errorEnd) { self?.note($0) } }
    try greet()
    startThread { [socket, weak self] in
      Self.readAnswers(socket) {
        self?.take($0) ?? false
      } failed: {
        self?.fail($0)
      }
    }
  }

  deinit {
    shutdown(socket.descriptor, Int32(SHUT_RDWR))
    child.signal(SIGTERM)
    pthread_mutex_destroy(&mutex)
    pthread_mutex_destroy(&writing)
    pthread_cond_destroy(&answered)
  }

  /// What ssh says, the end of it.
  private static func collect(_ descriptor: Int32, _ note: (ArraySlice<UInt8>) -> Void) {
    defer { close(descriptor) }
    var piece = [UInt8](repeating: 0, count: 1024)
    while true {
      let got = read(descriptor, &piece, piece.count)
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else { return }
      note(piece[..<got])
    }
  }

  private func note(_ text: ArraySlice<UInt8>) {
    pthread_mutex_lock(&mutex)
    errorText = (errorText + text).suffix(2048)
    pthread_mutex_unlock(&mutex)
  }

  private func greet() throws {
    var hello = SFTPPacket(.initialize)
    hello.append(SFTPPacket.version)
    do {
      try send(hello)
      let message = try Self.message(socket.descriptor, seconds: limitSeconds)
      var fields = SFTPFields(message[...])
      guard fields.byte() == SFTPPacket.Kind.version.rawValue, let version = fields.word(), version >= 3 else {
        throw RemoteError(.lasting, "\(address): what answers is no sftp server of version 3")
      }
      while let name = fields.text(), fields.string() != nil, extensions.count < 100 { extensions.insert(name) }
    } catch let error as RemoteError {
      end()
      throw explained(error)
    }
  }

  private func named(_ error: RemoteError) -> RemoteError {
    error.message.hasPrefix(address) ? error : RemoteError(error.kind, "\(address): \(error.message)")
  }

  /// What ssh says of what would fail again.
  private static let lasting = [
    "denied", "verification failed", "resolve hostname", "not known", "subsystem", "Bad configuration", "No such file", "not found",
  ]

  /// With what ssh said itself, which says most.
  private func explained(_ error: RemoteError) -> RemoteError {
    // What it wrote last may still be on its way.
    usleep(50_000)
    pthread_mutex_lock(&mutex)
    let text = String(decoding: errorText, as: UTF8.self)
    pthread_mutex_unlock(&mutex)
    let lines = text.split(whereSeparator: \.isNewline).suffix(2).map { VisibleText.line(String($0), on: .terminal) }
    guard !lines.isEmpty else { return named(error) }
    let isLasting = Self.lasting.contains { text.contains($0) }
    return RemoteError(isLasting ? .lasting : error.kind, "\(address): \(lines.joined(separator: "; "))")
  }

  /// No more requests; ssh ends.
  func end() {
    shutdown(socket.descriptor, Int32(SHUT_RDWR))
    child.signal(SIGTERM)
    fail(RemoteError(.passing, "\(address): the connection was ended"))
  }

  var isOver: Bool {
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    return failure != nil
  }

  private static let sendFlags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)

  // MARK: - Asking

  /// Sends a request and returns its number, to be handed to `answer` once.
  func ask(_ kind: SFTPPacket.Kind, reserving room: Int = 64, _ fill: (inout SFTPPacket) -> Void) throws -> UInt32 {
    pthread_mutex_lock(&mutex)
    let number = nextNumber
    nextNumber &+= 1
    waiting.insert(number)
    let failure = failure
    pthread_mutex_unlock(&mutex)
    if let failure { throw failure }
    var packet = SFTPPacket(kind, reserving: room)
    packet.append(number)
    fill(&packet)
    try send(packet)
    return number
  }

  /// Waits for the answer to a request.
  func answer(_ number: UInt32) throws -> SFTPAnswer {
    var deadline = timespec()
    clock_gettime(CLOCK_REALTIME, &deadline)
    deadline.tv_sec += Int(limitSeconds)
    pthread_mutex_lock(&mutex)
    while answers[number] == nil, failure == nil {
      guard pthread_cond_timedwait(&answered, &mutex, &deadline) == 0 else { break }
    }
    let found = answers.removeValue(forKey: number)
    waiting.remove(number)
    let failure = failure
    pthread_mutex_unlock(&mutex)
    guard let found else {
      if let failure { throw failure }
      let late = RemoteError(.passing, "\(address): no answer for \(Int(limitSeconds)) s")
      fail(late)
      throw late
    }
    guard let answer = SFTPAnswer(found.kind, found.bytes[Self.firstAnswerBytes...]) else {
      throw RemoteError(.lasting, "\(address): an answer that is none (kind \(found.kind))")
    }
    return answer
  }

  private func send(_ packet: SFTPPacket) throws {
    let count = UInt32(packet.bytes.count)
    let head = stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: count >> UInt32($0)) }
    pthread_mutex_lock(&writing)
    defer { pthread_mutex_unlock(&writing) }
    do {
      try sendAll(head)
      try sendAll(packet.bytes)
    } catch let error as RemoteError {
      fail(error)
      throw error
    }
  }

  private func sendAll(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(socket.descriptor, $0.baseAddress! + sent, $0.count - sent, Self.sendFlags)
      }
      if count >= 0 {
        sent += count
      } else if errno == EAGAIN {
        guard Self.wait(socket.descriptor, POLLOUT, limitSeconds) else {
          throw RemoteError(.passing, "\(address): takes nothing for \(Int(limitSeconds)) s")
        }
      } else if errno != EINTR {
        throw RemoteError(.passing, "\(address): the connection broke")
      }
    }
  }

  // MARK: - Answers

  /// False when nobody asked, or there is nobody any more.
  private func take(_ message: [UInt8]) -> Bool {
    guard message.count >= Self.firstAnswerBytes else { return false }
    var fields = SFTPFields(message[1...])
    guard let number = fields.word() else { return false }
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    guard waiting.contains(number), answers[number] == nil else { return false }
    answers[number] = (message[0], message)
    pthread_cond_broadcast(&answered)
    return true
  }

  private func fail(_ error: RemoteError) {
    pthread_mutex_lock(&mutex)
    if failure == nil { failure = named(error) }
    pthread_cond_broadcast(&answered)
    pthread_mutex_unlock(&mutex)
  }

  private static func readAnswers(_ socket: SocketEnd, _ take: ([UInt8]) -> Bool, failed: (RemoteError) -> Void) {
    do {
      while true {
        guard take(try message(socket.descriptor, seconds: nil)) else {
          throw RemoteError(.lasting, "an answer that nobody asked for came")
        }
      }
    } catch let error as RemoteError { failed(error) } catch {}
  }

  /// The next message without its length; no limit of time where none is expected.
  private static func message(_ socket: Int32, seconds: Double?) throws -> [UInt8] {
    let head = try receive(socket, 4, seconds)
    let count = head.reduce(0) { $0 << 8 | Int($1) }
    guard (1...longest).contains(count) else { throw RemoteError(.lasting, "what answers is no sftp server") }
    return try receive(socket, count, seconds ?? 60)
  }

  private static func receive(_ socket: Int32, _ count: Int, _ seconds: Double?) throws -> [UInt8] {
    var problem: RemoteError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count, let start = buffer.baseAddress {
        if let seconds, !wait(socket, POLLIN, seconds) {
          problem = RemoteError(.passing, "no answer for \(Int(seconds)) s")
          return
        }
        let got = recv(socket, start + filled, count - filled, 0)
        if got < 0 && errno == EINTR { continue }
        guard got > 0 else {
          problem = RemoteError(.passing, "the connection was closed")
          return
        }
        filled += got
      }
    }
    if let problem { throw problem }
    return bytes
  }

  private static func wait(_ socket: Int32, _ event: Int32, _ seconds: Double) -> Bool {
    var ready = pollfd(fd: socket, events: Int16(event), revents: 0)
    while true {
      let count = poll(&ready, 1, Int32(min(seconds, 3600) * 1000))
      if count < 0 && errno == EINTR { continue }
      return count > 0
    }
  }
}

/// Closed when neither the connection nor the thread that reads from it has it any more, so that nobody reads from a number that has come
/// to mean something else.
private final class SocketEnd: Sendable {
  let descriptor: Int32

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }
}
