import Foundation
import JSONValues
import Planning
import Testing

/// A training process of its own, stopped and killed at chosen steps: what it leaves behind goes on to the bytes of an undisturbed one.
@Suite("heirloom exec: training that is stopped", .serialized) struct ResumeTests {
  @Test("SIGTERM: status 75 and a checkpoint, at any step; model and log are the same in the end", arguments: [1, 6, 7, 23, 58])
  func stopped(step: Int) throws {
    let work = try TrainingWork()
    let training = try work.start(threads: 2, until: step)
    training.signal(SIGTERM)
    let end = try training.finish()
    #expect(end.status == 75 && end.errors == "" && end.output == "")
    #expect(FileManager.default.fileExists(atPath: work.path + "/checkpoint/checkpoint"))
    try work.goOn(threads: 1)
  }

  @Test("kill -9 between checkpoints: the lost steps are done again, and logged once", arguments: [3, 12, 39])
  func killed(step: Int) throws {
    let work = try TrainingWork()
    let training = try work.start(threads: 1, until: step)
    training.signal(SIGKILL)
    #expect(try training.finish().status == -SIGKILL)
    try work.goOn(threads: 2)
  }

  @Test("the runner is gone, and its end of the lifeline with it: training stops with a checkpoint")
  func lifeline() throws {
    let work = try TrainingWork()
    let lifeline = Pipe()
    let training = try work.start(threads: 1, until: 5, lifeline: lifeline)
    try lifeline.fileHandleForWriting.close()
    #expect(try training.finish().status == 75)
    try work.goOn(threads: 1)
  }

  @Test("a run that goes on under another kernel says so, and names both; the bytes are the same all the same")
  func otherKernel() throws {
    let work = try TrainingWork()
    let training = try work.start(threads: 1, until: 9, ["HEIRLOOM_KERNELS": "generic"])
    training.signal(SIGTERM)
    #expect(try training.finish().status == 75)
    try work.goOn(threads: 1)
    let facts = try work.facts()
    let kernel = try #require(facts["kernel"]?.stringValue)
    #expect(kernel.hasPrefix("heirloom-gemm generic kc384, then heirloom-gemm avx"))
    #expect(facts["mixed"] == true)

    let plain = try TrainingWork()
    try plain.goOn(threads: 1)
    #expect(try plain.facts()["kernel"]?.stringValue?.hasPrefix("heirloom-gemm avx") == true)
    #expect(try plain.facts()["mixed"] == nil)
  }

  @Test("a checkpoint of other settings is refused, and nothing is written")
  func foreign() throws {
    let work = try TrainingWork()
    let training = try work.start(threads: 1, until: 9)
    training.signal(SIGTERM)
    #expect(try training.finish().status == 75)
    try work.order(threads: 1, events: "events.jsonl", steps: 301)
    let end = try work.run()
    #expect(end.status == 1)
    #expect(end.errors == "error: \(work.path)/checkpoint/checkpoint: the checkpoint belongs to another run: its settings differs\n")
    #expect(try FileManager.default.contentsOfDirectory(atPath: work.path + "/out") == [])
  }
}

private struct EndedEarly: Error { let errors: String }

/// The work directory of a `train/sft` stage, as the runner makes it, with events that can be waited for.
private final class TrainingWork {
  private static let project: Result<Project, any Error> = Result {
    let project = try Project()
    // Nothing ends the life of what is shared but the end of the process.
    atexit { if let root = try? TrainingWork.project.get().root { try? FileManager.default.removeItem(atPath: root) } }
    let made = try project.run("tokens", "initial")
    try #require(made.finished.status == 0)
    return project
  }

  /// Outputs of a run that nothing disturbed.
  private static let reference = Result {
    let work = try TrainingWork()
    try work.order(threads: 1, events: "events.jsonl")
    #expect(try work.run().status == 0)
    return try work.digests()
  }

  /// F_SETPIPE_SZ, which the C library's module does not show.
  private static let setPipeSize: Int32 = 1031

  let path: String
  /// Read by `start`; kept open so that the training's writes go on.
  private var events: Int32 = -1

  init() throws {
    path = try Self.project.get().root + "/work-" + UUID().uuidString
    for name in ["out", "checkpoint"] {
      try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
    }
  }

  deinit { if events >= 0 { close(events) } }

  /// Writes stage.json.
  func order(threads: Int, events: String, steps: Int = 300) throws {
    let views = try Self.project.get().root + "/artifacts/views/tiny"
    func input(_ name: String, _ type: String, _ view: String, isList: Bool) -> JSONValue {
      [
        "name": .string(name), "type": .string(type), "list": .bool(isList),
        "elements": [["path": .string("\(views)/\(view)"), "digest": "sha256:"]],
      ]
    }
    let catalogue = StageCatalogue(directories: [Program.stages])
    let contract = try #require(catalogue.all().contracts.first { $0.name == "train/sft" })
    var parameters = JSONObject(contract.parameters.map { ($0.name, $0.initial.value ?? .null) })
    let own: [(String, JSONValue)] = [
      ("learning_rate", 0.001), ("warmup_ratio", 0.1), ("max_steps", .integer(steps)), ("per_device_train_batch_size", 16),
      ("gradient_accumulation_steps", 2), ("weight_decay", 0.1), ("save_steps", 7),
    ]
    for (name, value) in own { parameters.set(name, value) }
    let order: JSONValue = [
      "stage": "train/sft", "version": .integer(contract.version), "native": "train/sft", "parameters": .object(parameters),
      "inputs": [
        input("model", "model", "initial/model", isList: false), input("data", "tokens", "tokens/tokens", isList: true),
      ],
      "outputs": [
        ["name": "model", "type": "model", "path": .string(path + "/out/model")],
        ["name": "log", "type": "json", "path": .string(path + "/out/log")],
      ],
      "checkpoint": .string(path + "/checkpoint"), "events": .string("\(path)/\(events)"), "threads": .integer(threads),
      "numerics": "native",
    ]
    try Data(order.encodedBytes()).write(to: URL(fileURLWithPath: path + "/stage.json"))
  }

  func run() throws -> Program.Finished { try Program.run(["exec", path], in: path) }

  /// Starts training and returns once it has done that many steps. Events go through a pipe that holds them all.
  func start(threads: Int, until step: Int, lifeline: Pipe? = nil, _ variables: [String: String] = [:]) throws -> Running {
    let fifo = path + "/events"
    try #require(mkfifo(fifo, 0o600) == 0)
    events = open(fifo, O_RDWR | O_CLOEXEC)
    try #require(fcntl(events, Self.setPipeSize, 1 << 20) >= 0)
    try order(threads: threads, events: "events")
    let training = try Running(
      #require(Program.path), ["exec", path], in: path, variables.merging(lifeline == nil ? [:] : ["HEIRLOOM_LIFELINE": "0"]) { $1 },
      input: lifeline)
    var text = Data()
    while text.range(of: Data(#""step":\#(step),"#.utf8)) == nil {
      var buffer = [UInt8](repeating: 0, count: 4096)
      var waiting = pollfd(fd: events, events: Int16(POLLIN), revents: 0)
      if poll(&waiting, 1, 200) == 0 {
        // A process that has ended will say nothing more.
        guard training.isRunning else { throw EndedEarly(errors: try training.finish().errors) }
        continue
      }
      let count = read(events, &buffer, buffer.count)
      try #require(count > 0)
      text += buffer[..<count]
    }
    return training
  }

  /// To the end, and compares.
  func goOn(threads: Int) throws {
    try order(threads: threads, events: "events.jsonl")
    let end = try run()
    #expect(end.status == 0 && end.errors == "")
    #expect(try digests() == Self.reference.get())
  }

  /// The facts that the stage reported for its record, the latest of each name.
  func facts() throws -> JSONObject {
    var facts = JSONObject()
    let text = try String(contentsOfFile: path + "/events.jsonl", encoding: .utf8)
    for line in text.split(separator: "\n") {
      let event = try JSONValue.parse(String(line))
      if event["kind"] == "fact", let name = event["name"]?.stringValue { facts.set(name, event["value"]) }
    }
    return facts
  }

  private func digests() throws -> [String: String] {
    ["model": try Project.digest(path + "/out/model"), "log": try Project.digest(path + "/out/log")]
  }
}
