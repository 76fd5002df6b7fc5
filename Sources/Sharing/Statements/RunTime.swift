import Glibc

/// A moment as statements and crates write it.
enum RunTime {
  /// RFC 3339, whole seconds, UTC, as statements have it.
  static func text(_ seconds: Double) -> String { moment(seconds) + "Z" }

  /// The same as crates have it, whose checker knows no Z.
  static func offset(_ seconds: Double) -> String { moment(seconds) + "+00:00" }

  private static func moment(_ seconds: Double) -> String {
    var moment = time_t(max(0, min(seconds, 253_402_300_799)))
    var parts = tm()
    gmtime_r(&moment, &parts)
    func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))T"
      + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
  }
}
