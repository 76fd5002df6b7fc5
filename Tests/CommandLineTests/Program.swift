import Foundation
import Testing

/// The built program, run as people run it.
enum Program {
  /// Beside the test bundle, or named by HEIRLOOM_PROGRAM.
  static let path: String? = {
    let directory = (CommandLine.arguments[0] as NSString).deletingLastPathComponent
    let places = [ProcessInfo.processInfo.environment["HEIRLOOM_PROGRAM"], directory + "/heirloom"]
    return places.compactMap { $0 }.first { access($0, X_OK) == 0 }
  }()

  static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// The shipped contracts; never a link, for tests change their copies.
  static let stages = URL(fileURLWithPath: repository + "/stages").resolvingSymlinksInPath().path

  /// What the caller's environment has that programs need to be found and the network to be reached; nothing of Heirloom's own.
  static let environment = ProcessInfo.processInfo.environment.filter { name, _ in
    ["PATH", "HOME", "LANG", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE"].contains(name) || name.hasPrefix("PIP_")
  }

  struct Finished {
    /// The exit status; minus the signal where one ended it.
    let status: Int32
    let output: String
    let errors: String

    var outputLines: [String] { output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).dropLast() }
  }

  static func start(_ words: [String], in directory: String, _ variables: [String: String] = [:]) throws -> Running {
    try Running(try #require(path, "the program has to be built: swift build"), words, in: directory, environment.merging(variables) { $1 })
  }

  static func run(_ words: [String], in directory: String, _ variables: [String: String] = [:]) throws -> Finished {
    try start(words, in: directory, variables).finish()
  }
}

/// A program that runs, its standard error read line by line.
final class Running {
  private let process = Process()
  private let errors = Pipe()
  private let outputPath = FileManager.default.temporaryDirectory.path + "/heirloom-output-" + UUID().uuidString
  private var unread: [UInt8] = []
  private var read: [String] = []

  init(_ program: String, _ words: [String], in directory: String, _ environment: [String: String], input: Pipe? = nil) throws {
    try Data().write(to: URL(fileURLWithPath: outputPath))
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = words
    process.currentDirectoryURL = URL(fileURLWithPath: directory)
    process.environment = environment
    process.standardInput = input ?? FileHandle.nullDevice
    process.standardOutput = FileHandle(forWritingAtPath: outputPath)
    process.standardError = errors
    // Worker threads block signals, and a process begins with its starter's mask.
    var none = sigset_t()
    var mask = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &mask)
    defer { pthread_sigmask(SIG_SETMASK, &mask, nil) }
    try process.run()
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    try? FileManager.default.removeItem(atPath: outputPath)
  }

  var identifier: pid_t { process.processIdentifier }

  var isRunning: Bool { process.isRunning }

  func signal(_ number: Int32) { kill(identifier, number) }

  /// To its process group, which it leads.
  func signalGroup(_ number: Int32) throws {
    try #require(getpgid(identifier) == identifier, "the program leads a group of its own")
    kill(-identifier, number)
  }

  /// The next line of standard error; nil once it has ended.
  func nextLine() -> String? {
    while true {
      if let end = unread.firstIndex(of: 0x0A) {
        let line = String(decoding: unread[..<end], as: UTF8.self)
        unread.removeSubrange(...end)
        read.append(line)
        return line
      }
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = Glibc.read(errors.fileHandleForReading.fileDescriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return nil }
      unread += buffer[..<count]
    }
  }

  func finish() throws -> Program.Finished {
    while nextLine() != nil {}
    process.waitUntilExit()
    let status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    let output = try String(contentsOfFile: outputPath, encoding: .utf8)
    return Program.Finished(
      status: status, output: output, errors: (read.map { $0 + "\n" } + [String(decoding: unread, as: UTF8.self)]).joined())
  }
}
