import Foundation
import Glibc

/// The processes that belong to a project: stages by their environment, others by where they are.
struct ProcessSurvey {
  let root: String
  /// Processes of stages: whoever was started with the project's stage.json, and their children.
  let stages: [pid_t]

  init(_ root: String) {
    self.root = root
    let mark = Data("HEIRLOOM_STAGE=\(root)/".utf8)
    stages = Self.all.filter { pid in
      (FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()).range(of: mark) != nil
    }
  }

  private static var all: [pid_t] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }
  }

  /// Children of a process that are no stages: the watcher that ends stages when their runner is gone.
  func watchers(of runner: pid_t) -> [pid_t] {
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(runner)/task")) ?? []
    let children = threads.flatMap { thread in
      ((try? String(contentsOfFile: "/proc/\(runner)/task/\(thread)/children", encoding: .utf8)) ?? "").split(separator: " ")
    }
    return children.compactMap { pid_t($0) }.filter { !stages.contains($0) }
  }

  /// What the processes that are left look like, to say which they are.
  var words: [String] {
    stages.map { pid in
      let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
      return "\(pid): " + String(decoding: line.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
    }
  }
}
