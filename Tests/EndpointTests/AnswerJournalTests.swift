import Endpoint
import Foundation
import JSONValues
import Testing

@Suite("Answers that outlive a crash") struct AnswerJournalTests {
  @Test("what was appended is there again; a line that was cut off is not, and what follows it is")
  func journal() throws {
    let path = FileManager.default.temporaryDirectory.path + "/heirloom-answers-\(UUID().uuidString).jsonl"
    defer { try? FileManager.default.removeItem(atPath: path) }
    do {
      let journal = try AnswerJournal(path)
      try journal.append(3, ["a": 1])
      try journal.append(0, ["b": 2])
      journal.synchronize()
    }
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("[4,{\"c\":".utf8))
    try handle.close()
    try AnswerJournal(path).append(5, true)
    let last = try AnswerJournal(path)
    #expect([0, 3, 4, 5].map { last[$0]?.encoded() } == [#"{"b":2}"#, #"{"a":1}"#, nil, "true"])
  }
}
