import Glibc
import JSONValues

/// Which process this is, for good: a process number alone is used again, together with its start and the machine's boot it is not.
package struct ProcessIdentity: Sendable, Equatable {
  package let host: String
  /// The kernel's boot id.
  package let boot: String
  package let pid: Int32
  /// Clock ticks between the boot and the start of the process (field 22 of /proc/PID/stat).
  package let start: Int

  package init(host: String, boot: String, pid: Int32, start: Int) {
    self.host = host
    self.boot = boot
    self.pid = pid
    self.start = start
  }

  /// The process of that number as it is now; nil when there is none.
  package init?(pid: Int32) {
    guard let start = Self.startTime(of: pid) else { return nil }
    self.init(host: Self.hostName, boot: Self.bootID, pid: pid, start: start)
  }

  package static let current = ProcessIdentity(pid: getpid()) ?? ProcessIdentity(host: hostName, boot: bootID, pid: getpid(), start: 0)

  package enum Standing: Sendable, Equatable { case alive, gone, unknown }

  /// Whether it still runs; unknown on another host.
  package var standing: Standing {
    guard host == Self.hostName else { return .unknown }
    guard boot == Self.bootID, let now = Self.startTime(of: pid), now == start else { return .gone }
    return .alive
  }

  /// Same host, same boot: a process group number then still means what it meant.
  package var isOfThisBoot: Bool { host == Self.hostName && boot == Self.bootID }

  // MARK: - Where it is known from

  package static let hostName: String = {
    var name = utsname()
    uname(&name)
    return withUnsafeBytes(of: &name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }()

  package static let bootID: String = {
    let bytes = (try? FileSystem.posix.read("/proc/sys/kernel/random/boot_id")) ?? nil
    return String(decoding: (bytes ?? []).filter { $0 > 0x20 }, as: UTF8.self)
  }()

  /// A zombie counts as gone: it does nothing any more.
  private static func startTime(of pid: Int32) -> Int? {
    guard let bytes = try? FileSystem.posix.read("/proc/\(pid)/stat"), let close = bytes.lastIndex(of: UInt8(ascii: ")")) else {
      return nil
    }
    let fields = bytes[(close + 1)...].split(separator: 0x20)
    guard fields.count > 19, fields[0].first != UInt8(ascii: "Z") else { return nil }
    return Int(String(decoding: fields[19], as: UTF8.self))
  }
}

extension ProcessIdentity {
  package var json: JSONValue { ["host": .string(host), "boot": .string(boot), "pid": .integer(Int(pid)), "start": .integer(start)] }

  package init?(json: JSONValue?) {
    guard let json, let host = json["host"]?.stringValue, let boot = json["boot"]?.stringValue,
      // A signal to 0, 1 or less would go to other processes than the one that was written down.
      let pid = json["pid"]?.integerValue.flatMap(Int32.init(exactly:)), pid > 1, let start = json["start"]?.integerValue
    else { return nil }
    self.init(host: host, boot: boot, pid: pid, start: start)
  }
}
