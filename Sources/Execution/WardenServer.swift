import CProcesses
import Glibc
import Synchronization

/// A warden that starts the commands of a run, one after the other, each in a process that it forks: cheaper than starting the program for
/// each, above all where commands are confined, for it has mounted what all of them see.
///
/// The processes are this program's children, so they are waited for and signalled like any other. It ends with its socket.
final class WardenServer: Sendable {
  private struct State {
    var socket: Int32
    var pid: pid_t
  }

  /// Nil when it is gone.
  private let state: Mutex<State?>

  /// - Parameter words: what it is told about the view that its commands share.
  init(path: String, words: [String]) throws(SpawnFailure) {
    var ends: [Int32] = [-1, -1]
    guard hl_closing_sockets(&ends) == 0 else { throw SpawnFailure(message: "cannot make sockets: \(String(cString: strerror(errno)))") }
    defer { close(ends[1]) }
    let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(nothing) }
    let order = ProcessOrder(
      words: [path, "--serve", "3"] + words + ["--"], directory: "/", environment: [:],
      descriptors: [(nothing, 0), (nothing, 1), (nothing, 2), (ends[1], 3)])
    do { state = Mutex(State(socket: ends[0], pid: try order.spawn())) } catch {
      close(ends[0])
      throw error
    }
  }

  deinit { state.withLock { Self.end(&$0) } }

  private static func end(_ state: inout State?) {
    guard let gone = state else { return }
    state = nil
    close(gone.socket)
    var status: Int32 = 0
    while waitpid(gone.pid, &status, 0) < 0 && errno == EINTR {}
  }

  /// Starts the command of an order whose words are the warden's. The process leads a group of its own and writes the command's wait
  /// status to `report`. Nil when this server cannot, now or ever again.
  func spawn(_ order: ProcessOrder, report: Int32) -> pid_t? {
    let message = Self.message(order)
    let descriptors = order.descriptors.map(\.ours) + [report]
    return state.withLock { state in
      guard let socket = state?.socket else { return nil }
      var answer: Int32 = 0
      guard hl_send_with_descriptors(socket, message, message.count, descriptors, Int32(descriptors.count)) == 0,
        Self.receive(&answer, socket)
      else {
        Self.end(&state)
        return nil
      }
      guard answer > 0 else { return nil }
      // It does the same itself; whoever is first.
      _ = setpgid(answer, answer)
      return answer
    }
  }

  private static func receive(_ answer: inout Int32, _ socket: Int32) -> Bool {
    withUnsafeMutableBytes(of: &answer) { bytes in
      while true {
        let count = recv(socket, bytes.baseAddress, bytes.count, Int32(MSG_WAITALL))
        if count < 0, errno == EINTR { continue }
        return count == bytes.count
      }
    }
  }

  /// The header of `serve.c`, then the words and the variables.
  private static func message(_ order: ProcessOrder) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(4096)
    for word in order.words {
      text += word.utf8
      text.append(0)
    }
    for (name, value) in order.environment {
      text += name.utf8
      text.append(UInt8(ascii: "="))
      text += value.utf8
      text.append(0)
    }
    let mostDescriptors = 16
    var header = [Int32](repeating: -1, count: 4 + mostDescriptors)
    header[0] = Int32(text.count)
    header[1] = Int32(order.words.count)
    header[2] = Int32(order.environment.count)
    header[3] = Int32(order.descriptors.count + 1)
    for (place, descriptor) in order.descriptors.enumerated() { header[4 + place] = descriptor.theirs }
    return header.withUnsafeBytes { Array($0) } + text
  }
}
