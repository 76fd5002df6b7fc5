import Artifacts
import JSONValues
import Planning

/// Follows a run while it goes on: reads what its journal and its running stages have added, and no more. Who is told of it is not its matter.
package struct RunFollower: Sendable {
  package struct News: Sendable {
    /// Places of instances that stand otherwise than before, in order.
    package fileprivate(set) var changed: [Int] = []
    /// Of these, places whose attempt began anew: what was known of its metrics is void.
    package fileprivate(set) var begun: Set<Int> = []
    /// New values of metrics by step.
    package fileprivate(set) var points: [Int: [MetricPoint]] = [:]
    package fileprivate(set) var hasEnded = false
    /// The run's directory is not there any more.
    package fileprivate(set) var isGone = false

    package var isEmpty: Bool { changed.isEmpty && !hasEnded && !isGone }
  }

  package let run: RecordedRun
  package private(set) var instances: [RecordedRun.Instance]
  package private(set) var standing: RecordedRun.Standing = .running
  /// From beginning to end, once it is over.
  package private(set) var seconds: Double?
  private let store: Store
  private let places: [ByteString: Int]
  private var journal: LineTail
  private var readers: [Int: EventReader] = [:]

  /// The first `advance` tells all that happened until then.
  package init(_ run: RecordedRun, in store: Store) {
    self.run = run
    self.store = store
    instances = run.instances
    places = Dictionary(run.instances.enumerated().map { (ByteString($0.element.name), $0.offset) }, uniquingKeysWith: { $1 })
    journal = LineTail(path: Self.directory(run, store) + "/journal.jsonl")
  }

  private static func directory(_ run: RecordedRun, _ store: Store) -> String { "\(store.root)/runs/\(run.id)" }

  /// Of the instances that run now.
  package var running: [Int] { readers.keys.sorted() }

  package mutating func advance() -> News {
    var news = News()
    guard standing == .running else { return news }
    if run.isHandedOver { return advanceByJobs() }
    var changed: Set<Int> = []
    // Whether anybody runs it is looked at before what was written: a last word is not missed.
    let isAlive = (try? RecordedRun.isAlive(Self.directory(run, store), store.files)) ?? false
    var events: [JSONValue] = []
    news.isGone = journal.advance { events += Journal.events($0) } == nil
    for event in events { take(event, &news, &changed) }
    for place in running { read(place, &news, &changed) }
    if standing == .running, !isAlive || news.isGone { standing = .broken }
    if standing != .running {
      news.hasEnded = true
      for place in running {
        instances[place].state = "interrupted"
        changed.insert(place)
      }
      readers = [:]
    }
    news.changed = changed.sorted()
    return news
  }

  /// Nobody keeps a journal: what the jobs have written is put together anew.
  private mutating func advanceByJobs() -> News {
    var news = News()
    guard let now = (try? RecordedRun(id: run.id, store: store)) ?? nil else {
      (news.isGone, news.hasEnded, standing) = (true, true, .broken)
      return news
    }
    var changed: Set<Int> = []
    for (place, instance) in now.instances.enumerated() where instances.indices.contains(place) {
      let isSame = instances[place].state == instance.state && instances[place].began == instance.began
      if isSame, instance.state != "running" || readers[place] != nil { continue }
      let activity = instances[place].activity
      instances[place] = instance
      instances[place].activity = isSame ? activity : nil
      changed.insert(place)
      readers[place] = nil
      guard instance.state == "running", let key = instance.key else { continue }
      readers[place] = EventReader(path: store.workDirectory(key).eventsPath)
      instances[place].activity = nil
      news.begun.insert(place)
    }
    for place in running { read(place, &news, &changed) }
    (standing, seconds) = (now.standing, now.seconds)
    news.hasEnded = standing != .running
    news.changed = changed.sorted()
    return news
  }

  private mutating func take(_ event: JSONValue, _ news: inout News, _ changed: inout Set<Int>) {
    if event["kind"]?.stringValue == "end", let status = event["status"]?.integerValue {
      standing = .ended(status)
      seconds = event["seconds"]?.numberValue
    }
    guard let name = event["instance"]?.stringValue, let place = places[ByteString(name)] else { return }
    read(place, &news, &changed)
    instances[place].take(event)
    changed.insert(place)
    readers[place] = nil
    guard instances[place].state == "running", let key = instances[place].key else { return }
    readers[place] = EventReader(path: store.workDirectory(key).eventsPath)
    instances[place].activity = nil
    news.begun.insert(place)
    news.points[place] = nil
  }

  private mutating func read(_ place: Int, _ news: inout News, _ changed: inout Set<Int>) {
    guard var reader = readers[place] else { return }
    var points: [MetricPoint] = []
    if reader.advance(points: { points.append($0) }) {
      instances[place].activity = reader.activity
      if !points.isEmpty { news.points[place, default: []] += points }
      changed.insert(place)
    }
    readers[place] = reader
  }
}
