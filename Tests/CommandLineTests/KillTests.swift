import Foundation
import JSONValues
import Testing

/// Whatever is ended, and whenever: the same command again redoes nothing that was finished, and ends with the bytes of an uninterrupted run.
@Suite("Killed at any moment", .serialized) struct KillTests {
  /// The results of a run that nothing disturbed, made once.
  private static let reference = Result {
    let project = try Project(manifest: manifest)
    let events = try project.run()
    try #require(events.finished.status == 0, "\(events.finished.errors)")
    return try project.digests()
  }

  /// Long enough to be met in its midst.
  private static let manifest = Project.tiny.replacingOccurrences(of: "steps: 20", with: "steps: 300")

  /// Steps at which training is met, from a fixed seed, and one instant before the first checkpoint.
  private static let instants: [(Victim, Int)] = {
    var random = SplitMix(state: 20_240_607)
    return Victim.allCases.flatMap { victim in
      [(victim, Int.random(in: 8..<200, using: &random)), (victim, Int.random(in: 8..<200, using: &random))]
    }
      + [(.everything, 2)]
  }()

  @Test("kill -9 while training", arguments: instants)
  func training(victim: Victim, step: Int) throws {
    let project = try Project(manifest: Self.manifest)
    let running = try Program.start(["run", "recipe.yaml", "--progress", "json"], in: project.root)
    try project.until("training has done \(step) steps") { try lossSteps(project) >= step }
    let finished = try victim.end(running, project)
    try goOn(project, after: finished, resumes: step >= 7 ? ["tuned"] : nil)
  }

  @Test("kill -9 of everything as a stage starts", arguments: ["data", "tokens", "initial", "averaged[0]", "scores[0.5]"])
  func starting(instance: String) throws {
    let project = try Project(manifest: Self.manifest.replacingOccurrences(of: "steps: 300", with: "steps: 20"))
    let expected = try Project(manifest: project.manifest)
    _ = try expected.run()
    let running = try Program.start(["run", "recipe.yaml", "--progress", "json"], in: project.root)
    while let line = running.nextLine(), !line.contains(#""started","instance":"\#(instance)""#) {}
    let finished = try Victim.everything.end(running, project)
    try goOn(project, after: finished, resumes: nil, expected: try expected.digests())
  }

  @Test("Ctrl-C: status 130, a checkpoint, and no process left behind")
  func interrupt() throws {
    let project = try Project(manifest: Self.manifest)
    let running = try Program.start(["run", "recipe.yaml", "--progress", "json"], in: project.root)
    try project.until("training has begun") { try lossSteps(project) >= 3 }
    running.signal(SIGINT)
    let events = try Events(running.finish())
    #expect(events.finished.status == 130)
    #expect(events.instances("interrupted").contains("tuned") && events.summary?["interrupted"] == 5)
    #expect(project.processes == [])
    #expect(try project.heirloom("plan", "recipe.yaml", "tuned").outputLines.suffix(2).first?.hasPrefix("resume  tuned") == true)
    try goOn(project, after: events.ran, resumes: ["tuned"])
  }

  @Test("one and two threads, one and two jobs: the same digests")
  func threads() throws {
    let project = try Project(manifest: Self.manifest)
    #expect(try project.run("--threads", "1", "--jobs", "1").finished.status == 0)
    #expect(try project.digests() == Self.reference.get())
  }

  // MARK: - Steps of the tests

  /// The same command: nothing finished runs again, the bytes are the uninterrupted run's, and no process is left.
  private func goOn(_ project: Project, after finished: Set<String>, resumes: Set<String>?, expected: [String: String]? = nil) throws {
    let events = try project.run()
    #expect(events.finished.status == 0, "\(events.finished.errors)")
    #expect(events.ran.isDisjoint(with: finished), "\(events.finished.errors)")
    #expect(events.cached.isSuperset(of: finished))
    if let resumes { #expect(events.resumed == resumes) }
    #expect(try project.digests() == expected ?? Self.reference.get())
    #expect(project.processes == [])
    #expect(try project.plan().last == "10 instances: 10 cached")
  }

  /// The last step of the running training; 0 before it, a great many after it.
  private func lossSteps(_ project: Project) throws -> Int {
    let work = project.root + "/artifacts/work"
    for key in (try? FileManager.default.contentsOfDirectory(atPath: work)) ?? [] {
      guard let events = FileManager.default.contents(atPath: "\(work)/\(key)/events.jsonl"),
        let place = events.range(of: Data(#","name":"loss""#.utf8), options: .backwards)
      else { continue }
      let digits = events[..<place.lowerBound].reversed().prefix { (0x30...0x39).contains($0) }
      return Int(String(decoding: digits.reversed(), as: UTF8.self)) ?? 0
    }
    return FileManager.default.fileExists(atPath: project.root + "/artifacts/views/tiny/tuned") ? .max : 0
  }
}

/// A generator of bits for tests; the same every time.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z &>> 31)
  }
}
