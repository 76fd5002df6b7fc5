import Artifacts
import Execution
import Foundation
import JSONValues
import Planning
import Serving
import Testing

/// A project of small command stages that report how far they are; it goes when the test is over.
private final class SteppedProject: Sendable {
  let root = FileManager.default.temporaryDirectory.path + "/heirloom-served-" + UUID().uuidString
  var store: String { root + "/artifacts" }

  init() throws {
    try FileManager.default.createDirectory(atPath: root + "/stages", withIntermediateDirectories: true)
    try FileManager.default.createDirectory(atPath: root + "/go", withIntermediateDirectories: true)
    for (path, text) in Self.files { try Data(text.replacing("ROOT", with: root).utf8).write(to: URL(fileURLWithPath: "\(root)/\(path)")) }
  }

  /// Lets a stage come to its end.
  func go(_ name: String) throws { try Data().write(to: URL(fileURLWithPath: "\(root)/go/\(name)")) }

  deinit { try? FileSystem.posix.remove(root) }

  private static let files = [
    "stages/steps.yaml": """
    stage: steps
    version: 1
    summary: Counts, and says so.
    inputs: {before: {type: file, optional: true}}
    outputs: {text: {type: file}}
    params: {count: {type: integer}, name: {type: string}}
    run: {command: [sh, "${stage.dir}/steps.sh", "${outputs.text}", "${params.count}", "${params.name}"], sources: [steps.sh]}
    """,
    "stages/steps.sh": """
    n=0
    while [ "$n" -lt "$2" ]; do
      n=$((n + 1))
      echo "{\\"t\\":$n,\\"kind\\":\\"progress\\",\\"done\\":$n,\\"of\\":$2}" >> "$HEIRLOOM_EVENTS"
      echo "{\\"kind\\":\\"metric\\",\\"name\\":\\"loss\\",\\"step\\":$n,\\"value\\":0.$n}" >> "$HEIRLOOM_EVENTS"
      echo "this is step $n"
      sleep 0.05
    done
    # Until the test has seen what it looks for.
    while [ ! -e "ROOT/go/$3" ]; do sleep 0.05; done
    echo "$2 steps" > "$1"

    """,
    "recipe.yaml": """
    heirloom: 1
    name: stepped
    params: {count: 40}
    stages:
      first: {uses: steps, with: {count: "${count}", name: first}}
      second: {uses: steps, inputs: {before: first.text}, with: {count: "${count}", name: second}}
      third: {uses: steps, inputs: {before: second.text}, with: {count: 41, name: third}}
    """,
  ]

  /// To its end.
  func run(_ sets: [String] = []) throws {
    let recipe = try Recipe.load(root + "/recipe.yaml", RecipeOptions(sets: sets), PlanningEnvironment(workingDirectory: root))
    var options = RunOptions(
      program: "/no/such/program", variables: ["PATH": "/usr/bin:/bin", "HOME": root],
      machine: Machine(cpus: 2, memoryBytes: 1 << 30, gpus: [], processor: "test"))
    options.takesSignals = false
    _ = try RecipeRun.run(recipe, in: store, options: options, display: SilentProgress())
  }
}

@Suite("Served pages in a browser", .serialized, Browser.trait, .timeLimit(.minutes(5))) struct ServedPageTests {
  private static func with(_ project: SteppedProject, _ work: (BrowserPage, WebServer) async throws -> Void) async throws {
    let server = try await WebServer.start(storePath: project.store, host: "127.0.0.1", port: 0)
    do {
      try await Browser.with { page in
        try await work(page, server)
        #expect(page.record.complaints == [])
        #expect(page.record.requests.filter { !$0.hasPrefix(server.url) && !$0.hasPrefix("data:") } == [])
      }
      await server.stop()
    } catch {
      await server.stop()
      throw error
    }
  }

  /// Until an expression is true, over pages that come and go: one that is left cannot answer any more.
  private static func wait(_ page: BrowserPage, _ expression: String, seconds: Double = 60) async throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
      if (try? await page.evaluate("!!(\(expression))")) == true { return }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw Chromium.Failure.timedOut(
      "\(expression); the page says: \(try await page.text("#live")) \(try await page.text("#instance-table"))")
  }

  @Test("a run that goes on is seen going on: bars, logs, curves, states, its end")
  func live() async throws {
    let project = try SteppedProject()
    // A store has to be there to be served.
    _ = try Store.open(project.store)
    try await Self.with(project) { page, server in
      try await page.open(server.url)
      // On a thread of its own: it waits for processes.
      async let run: Void = withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try project.run() }) }
      }
      // The list finds it by itself.
      try await Self.wait(page, "document.querySelector('tr[data-run] a')")
      try await page.click("tr[data-run] a")
      try await Self.wait(page, "document.querySelector('#live li[data-state=running]')")
      try await Self.wait(page, "document.querySelector('#live li pre')?.textContent.includes('this is step')")
      try await Self.wait(page, "document.querySelector('#live progress')?.value > 0")
      try await Self.wait(page, "document.querySelector('#live-curves figure[data-metric=loss] path.line')")
      for (place, name) in ["first", "second", "third"].enumerated() {
        try project.go(name)
        try await Self.wait(page, "document.querySelector('#i\(place) .state')?.textContent.includes('ran')")
        if place < 2 {
          try await Self.wait(page, "document.querySelector('#i\(place + 1) .state')?.textContent.includes('running')")
          #expect(try await page.text("#live li[data-state=running] a") == ["second", "third"][place])
        }
        #expect(try await page.text("#i\(place) th") == name)
      }
      try await Self.wait(page, "document.querySelector('#over')")
      try await Self.wait(page, "document.querySelector('.top .badge')?.textContent === 'done'")
      try await page.click("#again")
      try await Self.wait(page, "!document.querySelector('#live') && document.querySelector('#overview')")
      try await run
    }
  }

  @Test("two runs are chosen in the list and compared by a click")
  func compared() async throws {
    let project = try SteppedProject()
    for name in ["first", "second", "third"] { try project.go(name) }
    try project.run(["count=1"])
    try project.run(["count=2"])
    try await Self.with(project) { page, server in
      try await page.open(server.url)
      try await Self.wait(page, "document.querySelector('#compare').disabled")
      for place in [1, 2] { try await page.click("tbody tr:nth-child(\(place)) input") }
      try await page.click("#compare")
      try await Self.wait(page, "location.pathname === '/compare' && document.querySelector('#parameters')")
      #expect(try await page.text("#parameters tbody tr").hasPrefix("count"))
      #expect(try await page.count("#instances tbody tr") == 3)
      try await page.click("#runs a")
      try await Self.wait(page, "location.pathname.startsWith('/runs/') && document.querySelector('#overview')")
    }
  }
}
