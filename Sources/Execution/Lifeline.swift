import CProcesses
import Glibc
import Synchronization

/// What keeps stages from outliving their runner, however it ends.
///
/// The runner alone holds the write end of a pipe. A native stage inherits the read end and watches it itself. A command cannot, so a
/// small shell script, started with the first command stage and fed with the numbers of the running groups, watches in its place: at
/// end of file it asks them to stop and, ten seconds later, ends what is left. It is no child's parent, so nothing depends on it while
/// the runner lives; if it is killed together with the runner, the next run finds the owner of the lock gone and ends the group.
final class Lifeline: Sendable {
  private struct Watch {
    var pid: pid_t?
    var writeEnd: Int32 = -1
  }

  /// Inherited by stages as `HEIRLOOM_LIFELINE`.
  let readEnd: Int32
  private let writeEnd: Int32
  private let watch = Mutex(Watch())

  init() throws(SpawnFailure) {
    (readEnd, writeEnd) = try Self.pipe()
  }

  deinit {
    close(readEnd)
    close(writeEnd)
    watch.withLock { watch in
      guard let pid = watch.pid else { return }
      close(watch.writeEnd)
      var status: Int32 = 0
      while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    }
  }

  static func pipe() throws(SpawnFailure) -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    guard hl_closing_pipe(&ends) == 0 else { throw SpawnFailure(message: "cannot make a pipe: \(String(cString: strerror(errno)))") }
    return (ends[0], ends[1])
  }

  /// Has a command's process group ended with the runner.
  func watch(_ group: pid_t) throws(SpawnFailure) {
    try watch.withLock { (watch) throws(SpawnFailure) in
      if watch.pid == nil { try Self.startWatcher(&watch) }
      Self.tell(watch, "+ \(group)\n")
    }
  }

  func unwatch(_ group: pid_t) {
    watch.withLock { watch in Self.tell(watch, "- \(group)\n") }
  }

  private static func tell(_ watch: Watch, _ line: String) {
    _ = Array(line.utf8).withUnsafeBytes { write(watch.writeEnd, $0.baseAddress, $0.count) }
  }

  private static func startWatcher(_ watch: inout Watch) throws(SpawnFailure) {
    let ends = try pipe()
    defer { close(ends.read) }
    let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(nothing) }
    let order = ProcessOrder(
      words: ["/bin/sh", "-c", script], directory: "/", environment: ["PATH": "/usr/bin:/bin"],
      descriptors: [(ends.read, 0), (nothing, 1), (nothing, 2)])
    do {
      watch.pid = try order.spawn()
      watch.writeEnd = ends.write
    } catch {
      close(ends.write)
      throw error
    }
  }

  private static let script = """
    trap '' INT TERM HUP
    groups=' '
    while read -r sign group; do
      case $sign in
        +) groups="$groups$group " ;;
        -) groups="${groups%% $group *} ${groups#* $group }" ;;
      esac
    done
    for group in $groups; do kill -s TERM -- "-$group"; done
    left=10
    while [ $left -gt 0 ]; do
      alive=
      for group in $groups; do kill -s 0 -- "-$group" && alive=1; done
      [ "$alive" ] || exit 0
      sleep 1
      left=$((left - 1))
    done
    for group in $groups; do kill -s KILL -- "-$group"; done
    """
}
