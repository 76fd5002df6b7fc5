import Foundation
import JSONValues

/// A server's answers in a file that outlives a crash, so that nothing that is answered is asked, and paid for, twice. It belongs to one list
/// of requests; what is in an answer it does not know.
package final class AnswerJournal {
  private let path: String
  private let handle: FileHandle
  private var known: [Int: JSONValue] = [:]

  package init(_ path: String) throws(EndpointError) {
    let exists = FileManager.default.fileExists(atPath: path) || FileManager.default.createFile(atPath: path, contents: nil)
    guard exists, let handle = FileHandle(forUpdatingAtPath: path) else { throw EndpointError("\(path): cannot be written") }
    self.path = path
    self.handle = handle
    do {
      let bytes = [UInt8](try handle.readToEnd() ?? Data())
      // A line that a crash cut off is no JSON: it is asked again.
      for line in bytes.split(separator: 0x0A) {
        guard let row = try? JSONValue(parsing: Array(line)), let number = row[0]?.integerValue, let answer = row[1] else { continue }
        known[number] = answer
      }
      if let last = bytes.last, last != 0x0A { try handle.write(contentsOf: [0x0A]) }
    } catch { throw EndpointError("\(path): cannot be read: \(error.localizedDescription)") }
  }

  package subscript(number: Int) -> JSONValue? { known[number] }

  package func append(_ number: Int, _ answer: JSONValue) throws(EndpointError) {
    known[number] = answer
    do { try handle.write(contentsOf: JSONValue.array([.integer(number), answer]).encodedBytes() + [0x0A]) } catch {
      throw EndpointError("\(path): cannot be written: \(error.localizedDescription)")
    }
  }

  package func synchronize() { try? handle.synchronize() }
}
