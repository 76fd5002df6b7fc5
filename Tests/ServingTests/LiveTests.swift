import Artifacts
import Execution
import Foundation
import JSONValues
import Serving
import Testing

@Suite("A run that is watched") struct LiveTests {
  private func state(_ run: StagedRun) throws -> LiveState {
    var state = LiveState(try run.recorded(), in: run.store)
    _ = state.look(now: 0)
    return state
  }

  private func instances(_ events: [LiveEvent]) -> [LiveInstance] {
    events.flatMap { event -> [LiveInstance] in
      if case .instances(let rows) = event { return rows }
      return []
    }
  }

  @Test("each look tells what changed since the last, and only that")
  func changes() throws {
    let run = try StagedRun()
    var state = try state(run)
    #expect(state.look(now: 0).isEmpty)

    try run.start(0)
    let started = state.look(now: 1)
    #expect(instances(started).map(\.state) == ["running"])
    #expect(instances(started).map(\.place) == [0])

    try run.progress(0, 20, of: 80)
    try run.metric(0, "loss", 20, 1.5)
    try run.log(0, "step 20\n")
    let going = state.look(now: 2)
    #expect(instances(going).first?.done == 20)
    #expect(instances(going).first?.metrics == [.init(name: "loss", value: 1.5)])
    #expect(
      going.contains(
        .points(LivePoints(instance: 0, isWhole: false, series: [.init(name: "loss", points: [.init(name: "loss", step: 20, value: 1.5)])]))
      ))
    #expect(going.contains(.log(instance: 0, lines: ["step 20"])))
    #expect(state.look(now: 3).isEmpty)

    try run.finish(0)
    try run.start(1)
    #expect(instances(state.look(now: 4)).map(\.state) == ["ran", "running"])

    try run.log(1, "it broke\n")
    try run.finish(1, "failed", error: "exit status 1")
    try run.finish(2, "skipped")
    try run.end(1)
    let last = state.look(now: 5)
    #expect(instances(last).map(\.state) == ["failed", "skipped"])
    #expect(last.contains(.log(instance: 1, lines: ["it broke"])))
    #expect(last.last == .end(standing: "failed"))
    #expect(state.isOver)
    #expect(state.look(now: 6).isEmpty)
  }

  @Test("a line that is not whole yet is waited for")
  func torn() throws {
    let run = try StagedRun()
    try run.start(0)
    var state = try state(run)
    try run.store.files.append(Array(#"{"kind":"progress","done":1,"#.utf8), to: run.work(0).eventsPath)
    #expect(state.look(now: 1).isEmpty)
    try run.store.files.append(Array("\"of\":2}\n".utf8), to: run.work(0).eventsPath)
    #expect(instances(state.look(now: 1)).first?.done == 1)
  }

  @Test("an attempt that begins anew makes what was known of it void")
  func retried() throws {
    let run = try StagedRun()
    try run.start(0)
    var state = try state(run)
    try run.metric(0, "loss", 1, 9)
    _ = state.look(now: 1)
    run.directory.note("retry", [("instance", "a"), ("error", "lost")])
    try run.start(0)
    try run.metric(0, "loss", 1, 4)
    let points = state.look(now: 2).compactMap { event -> LivePoints? in
      if case .points(let points) = event { return points }
      return nil
    }
    #expect(
      points == [LivePoints(instance: 0, isWhole: true, series: [.init(name: "loss", points: [.init(name: "loss", step: 1, value: 4)])])])
  }

  @Test("a run whose runner is gone is told as killed, one whose directory is gone as gone")
  func abandoned() throws {
    let killed = try StagedRun()
    try killed.start(0)
    var state = try state(killed)
    try killed.directory.end()
    let events = state.look(now: 1)
    #expect(events.last == .end(standing: "killed"))
    #expect(instances(events).map(\.state) == ["interrupted"])

    let removed = try StagedRun()
    var other = try self.state(removed)
    try FileManager.default.removeItem(atPath: removed.directory.path)
    #expect(other.look(now: 1).last == .end(standing: "gone"))
  }

  @Test("a link in the place of a log or of events is not followed")
  func links() throws {
    let run = try StagedRun()
    try run.start(0)
    let secret = run.root + "/secret"
    try Data("{\"kind\":\"progress\",\"done\":7,\"of\":9}\nsecret\n".utf8).write(to: URL(fileURLWithPath: secret))
    try? FileManager.default.removeItem(atPath: run.work(0).logPath)
    try FileManager.default.createSymbolicLink(atPath: run.work(0).logPath, withDestinationPath: secret)
    try FileManager.default.createSymbolicLink(atPath: run.work(0).eventsPath, withDestinationPath: secret)
    var state = try state(run)
    #expect(state.look(now: 1).isEmpty)
    #expect(instances(state.whole(now: 1)).first?.done == 0)
    let library = RunLibrary(storePath: run.storePath)
    #expect(try library.log(run.recorded().instances[0], run.store, from: 0) == nil)
    #expect(LogTail.lines(of: run.work(0).logPath, run.store.files).isEmpty)
  }

  @Test("curves are bounded and keep their peaks")
  func curves() {
    var curves = LiveCurves()
    for step in 0..<5000 {
      _ = curves.add([.init(name: "loss", step: step, value: step == 777 ? 100 : 1)], to: 3)
    }
    let series = curves.whole[0].series[0]
    #expect(series.points.count <= LiveCurves.mostPoints)
    #expect(series.points.contains { $0.value == 100 })
    for name in 0..<50 { _ = curves.add([.init(name: "m\(name)", step: 1, value: 1)], to: 3) }
    #expect(curves.whole[0].series.count == LiveCurves.mostSeries)
  }

  @Test("who comes again with the number of the last event he saw is told what followed; a stranger, everything")
  func ring() throws {
    var ring = EventRing(epoch: "e")
    for place in 0..<10 { ring.add(.log(instance: place, lines: [])) }
    #expect(ring.number(in: "e.7") == 7)
    #expect(ring.since(7)?.count == 3)
    #expect(ring.since(10)?.isEmpty == true)
    for wrong in ["f.7", "e.11", "e.-1", "e", "", "e.7.7", "e.99999999999999999999"] { #expect(ring.number(in: wrong) == nil) }
    for place in 0..<10_000 { ring.add(.log(instance: place, lines: [])) }
    #expect(ring.since(7) == nil)
    #expect(ring.since(ring.last - 5)?.count == 5)
  }

  @Test("what an event says is one line of JSON, whatever is in it")
  func wire() throws {
    let text = String(
      decoding: EventRing.text(.log(instance: 1, lines: ["a\nb\r\n\ndata: x", "</script>\u{2028}"]), id: "e.1"), as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 5)
    #expect(lines[0] == "id: e.1")
    #expect(lines[1] == "event: log")
    #expect(try JSONValue(parsing: Array(lines[2].dropFirst(6).utf8))["lines"]?[0] == "a\nb\r\n\ndata: x")
  }
}
