/// The last events of a feed, numbered, as they go over the wire. Somebody who comes again with the number of the last one that he saw is told what
/// followed; where that has left the ring, or is of another feed, he has to be told everything.
package struct EventRing: Sendable {
  /// Of this feed: a server that was started anew, or has begun to look at the run again, counts from 1 once more.
  package let epoch: String
  package private(set) var last = 0
  private var texts: [[UInt8]] = []
  private var bytes = 0

  private static let mostBytes = 4 << 20
  private static let mostEvents = 4096

  package init(epoch: String) { self.epoch = epoch }

  package mutating func add(_ event: LiveEvent) {
    last += 1
    let text = Self.text(event, id: id(last))
    texts.append(text)
    bytes += text.count
    guard texts.count > Self.mostEvents || bytes > Self.mostBytes else { return }
    let dropped = max(1, texts.count / 4)
    bytes -= texts.prefix(dropped).reduce(0) { $0 + $1.count }
    texts.removeFirst(dropped)
  }

  package func id(_ number: Int) -> String { "\(epoch).\(number)" }

  /// What came after that number; nil where some of it is not known any more.
  package func since(_ number: Int) -> [[UInt8]]? {
    let first = last - texts.count + 1
    guard number >= first - 1, number <= last else { return nil }
    return Array(texts[(number - first + 1)...])
  }

  /// The number in a `Last-Event-ID` of this feed.
  package func number(in id: String) -> Int? {
    let parts = id.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == epoch, parts[1].utf8.count < 16, let number = Int(parts[1]), number >= 0, number <= last else {
      return nil
    }
    return number
  }

  /// As `text/event-stream` has it. JSON has no line breaks of its own, so the data is one line.
  ///
  /// - Parameter id: nil of what must not be gone on from.
  package static func text(_ event: LiveEvent, id: String?) -> [UInt8] {
    var text = Array(((id.map { "id: \($0)\n" } ?? "") + "event: \(event.name)\ndata: ").utf8)
    event.data.append(to: &text)
    text += "\n\n".utf8
    return text
  }
}
