import Execution
import Testing

@Suite("The time a run has left")
struct RunForecastTests {
  private static func limits(jobs: Int, cpus: Int = 8) -> Scheduler.Limits { Scheduler.Limits(jobs: jobs, cpus: cpus, keepGoing: false) }

  private static func tasks(_ dependencies: [[Int]], cpus: Int = 1) -> [Scheduler.Task] {
    dependencies.indices.map { index in
      Scheduler.Task(
        dependencies: dependencies[index], dependents: dependencies.indices.filter { dependencies[$0].contains(index) },
        need: Scheduler.Need(cpus: cpus))
    }
  }

  private static func forecast(_ known: [Double?]) -> RunForecast {
    var forecast = RunForecast(stages: known.map { _ in "s" })
    forecast.known = known
    return forecast
  }

  @Test("slots, processors and the longest path bound it")
  func bounds() {
    let waiting = Array(repeating: Scheduler.State.ready, count: 4)
    let forecast = Self.forecast([10, 10, 10, 10])
    let apart = Self.tasks([[], [], [], []])
    func seconds(_ tasks: [Scheduler.Task], _ limits: Scheduler.Limits) -> Double? {
      forecast.outlook(tasks, waiting, limits, left: [:], elapsed: [:]).secondsLeft
    }
    #expect(seconds(apart, Self.limits(jobs: 4)) == 10)
    #expect(seconds(apart, Self.limits(jobs: 2)) == 20)
    #expect(seconds(apart, Self.limits(jobs: 3)) == 20)
    #expect(seconds(Self.tasks([[], [], [], []], cpus: 8), Self.limits(jobs: 4)) == 40)
    #expect(seconds(Self.tasks([[], [0], [1], [2]]), Self.limits(jobs: 4)) == 40)
    #expect(seconds(Self.tasks([[], [0], [0], []]), Self.limits(jobs: 2)) == 20)
  }

  @Test("what runs counts by its own progress, else by what it took before")
  func running() {
    let tasks = Self.tasks([[], [0]])
    let states: [Scheduler.State] = [.running, .waiting(1)]
    let forecast = Self.forecast([10, 5])
    #expect(forecast.outlook(tasks, states, Self.limits(jobs: 1), left: [0: 3], elapsed: [0: 1]).secondsLeft == 8)
    #expect(forecast.outlook(tasks, states, Self.limits(jobs: 1), left: [:], elapsed: [0: 4]).secondsLeft == 11)
    // It should have ended: of its end nothing is known any more.
    let late = forecast.outlook(tasks, states, Self.limits(jobs: 1), left: [:], elapsed: [0: 40])
    #expect(late == RunOutlook(secondsLeft: 5, isLeast: true))
  }

  @Test("where most is unknown nothing is said, and what is learned in the run counts")
  func unknown() {
    let tasks = Self.tasks([[], [], []])
    let states = Array(repeating: Scheduler.State.ready, count: 3)
    var forecast = Self.forecast([nil, nil, 4])
    #expect(forecast.outlook(tasks, states, Self.limits(jobs: 1), left: [:], elapsed: [:]) == RunOutlook(secondsLeft: nil))
    forecast.took(6, 2)
    #expect(forecast.seconds(0) == 6 && forecast.seconds(2) == 4)
    #expect(forecast.outlook(tasks, states, Self.limits(jobs: 1), left: [:], elapsed: [:]) == RunOutlook(secondsLeft: 16))
  }

  @Test("a thousand instances take no time to think about")
  func large() {
    let tasks = Self.tasks((0..<1000).map { $0 < 20 ? [] : [$0 - 20] })
    let states = tasks.map { Scheduler.State.waiting($0.dependencies.count) }
    let forecast = Self.forecast(Array(repeating: 2, count: 1000))
    let start = monotonicSeconds()
    #expect(forecast.outlook(tasks, states, Self.limits(jobs: 20, cpus: 20), left: [:], elapsed: [:]).secondsLeft == 100)
    #expect(monotonicSeconds() - start < 1)
  }
}
