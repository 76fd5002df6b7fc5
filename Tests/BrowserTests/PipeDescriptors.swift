import CProcesses
import Glibc

/// Two pipes for Chromium's DevTools: what it reads at descriptor 3, and what it writes at 4.
struct PipeDescriptors {
  /// Ours: to write commands, to read answers.
  let commands: Int32
  let answers: Int32
  let process: pid_t

  /// Starts a program with the other ends at 3 and 4, and with nothing else of ours open.
  ///
  /// - Throws: the error number of what failed.
  static func start(_ program: String, _ arguments: [String]) throws -> PipeDescriptors {
    var (toChild, fromChild): ([Int32], [Int32]) = ([0, 0], [0, 0])
    guard pipe(&toChild) == 0, pipe(&fromChild) == 0 else { throw StartError(code: errno) }
    for descriptor in toChild + fromChild { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    // Above 4, so that putting one in its place does not close the other.
    let read = fcntl(toChild[0], F_DUPFD_CLOEXEC, 10)
    let write = fcntl(fromChild[1], F_DUPFD_CLOEXEC, 10)
    close(toChild[0])
    close(fromChild[1])
    defer {
      close(read)
      close(write)
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, read, 3)
    posix_spawn_file_actions_adddup2(&actions, write, 4)
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    // Sockets of a server in this process do not close by themselves, and a port is free only when nobody holds it.
    hl_spawn_add_closefrom(&actions, 5)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // A group of its own, so that all its processes can be ended together.
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    posix_spawnattr_setpgroup(&attributes, 0)
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var process: pid_t = 0
    let code = posix_spawn(&process, program, &actions, &attributes, &words, environ)
    guard code == 0 else {
      close(toChild[1])
      close(fromChild[0])
      throw StartError(code: code)
    }
    return PipeDescriptors(commands: toChild[1], answers: fromChild[0], process: process)
  }

  struct StartError: Error { let code: Int32 }
}
