extension Scheduler {
  /// What the scheduler knows of an instance before anything happens.
  package struct Task: Sendable {
    package var dependencies: [Int]
    package var dependents: [Int]
    package var need: Need
    package var retries: Int
    package var timeoutSeconds: Double?
    /// It answers a request to stop with a checkpoint, for which it gets all the time it wants.
    package var checkpoints: Bool
    /// From an earlier run, or a guess.
    package var expectedSeconds: Double
    /// False: no target needs it.
    package var isWanted: Bool

    package init(
      dependencies: [Int] = [], dependents: [Int] = [], need: Need = Need(), retries: Int = 0, timeoutSeconds: Double? = nil,
      checkpoints: Bool = false, expectedSeconds: Double = 1, isWanted: Bool = true
    ) {
      self.dependencies = dependencies
      self.dependents = dependents
      self.need = need
      self.retries = retries
      self.timeoutSeconds = timeoutSeconds
      self.checkpoints = checkpoints
      self.expectedSeconds = expectedSeconds
      self.isWanted = isWanted
    }
  }

  /// What an instance holds while it runs.
  package struct Need: Sendable, Hashable {
    package var cpus: Int
    package var memoryBytes: Int
    package var gpus: Int
    /// Of the instances that there may be at once.
    package var slots: Int

    package init(cpus: Int = 1, memoryBytes: Int = 0, gpus: Int = 0, slots: Int = 1) {
      self.cpus = cpus
      self.memoryBytes = memoryBytes
      self.gpus = gpus
      self.slots = slots
    }

    /// Of what is carried out elsewhere.
    package static let nothing = Need(cpus: 0, memoryBytes: 0, gpus: 0, slots: 0)

    package func fits(in free: Need) -> Bool {
      cpus <= free.cpus && memoryBytes <= free.memoryBytes && gpus <= free.gpus && slots <= free.slots
    }

    package mutating func take(_ need: Need) {
      cpus -= need.cpus
      memoryBytes -= need.memoryBytes
      gpus -= need.gpus
      slots -= need.slots
    }

    package mutating func give(_ need: Need) {
      cpus += need.cpus
      memoryBytes += need.memoryBytes
      gpus += need.gpus
      slots += need.slots
    }
  }

  /// What there is to share, and the rules of this run.
  package struct Limits: Sendable {
    package var jobs: Int
    package var cpus: Int
    package var memoryBytes: Int
    package var gpus: Int
    package var keepGoing: Bool
    /// Between a request to stop and the end by force.
    package var graceSeconds: Double
    /// Before the first retry; doubles with each further one, up to a minute.
    package var backOffSeconds: Double

    package init(
      jobs: Int, cpus: Int, memoryBytes: Int = .max, gpus: Int = 0, keepGoing: Bool = false, graceSeconds: Double = 10,
      backOffSeconds: Double = 1
    ) {
      self.jobs = jobs
      self.cpus = cpus
      self.memoryBytes = memoryBytes
      self.gpus = gpus
      self.keepGoing = keepGoing
      self.graceSeconds = graceSeconds
      self.backOffSeconds = backOffSeconds
    }
  }

  /// How an instance ends.
  package enum Outcome: Sendable, Equatable { case cached, ran, failed, skipped, interrupted }

  /// Where an instance stands. `move` is the only place where it changes.
  package enum State: Sendable, Equatable {
    /// No target needs it.
    case outside
    /// So many of its dependencies are not final yet.
    case waiting(Int)
    /// Its inputs are final; somebody is asked whether it has to run.
    case judging
    case ready
    case running
    /// Its process is over and its result is being stored; holds nothing.
    case storing
    /// It failed and will be tried again at that time.
    case backingOff(until: Double)
    /// Another run computes the same key; holds no slot.
    case blocked
    case finished(Outcome)
  }

  package enum Verdict: Sendable, Equatable {
    /// `changed`: with other outputs than it was known to have.
    case cached(changed: Bool)
    case run
    /// It must run, but bytes of these cached dependencies are gone: they have to run first.
    case needs([Int])
    /// It cannot even be judged.
    case failed
  }

  package enum Ending: Sendable, Equatable {
    /// `changed`: with other outputs than it was known to have.
    case succeeded(changed: Bool)
    /// Somebody else had computed it in the meantime.
    case found(changed: Bool)
    case failed
    /// Stopped when asked to.
    case stopped
    /// Another run holds the key's lock.
    case blocked
    /// Somebody took it back: it is not tried again in this run, and goes on in the next.
    case withdrawn
  }

  package enum Event: Sendable, Equatable {
    case begin
    case judged(Int, Verdict)
    /// Its process is over, and what it held is free; it ends when its result is stored.
    case released(Int)
    case ended(Int, Ending)
    /// A blocked instance should be looked at again.
    case unblocked(Int)
    /// Once: stop and keep checkpoints. Twice: end by force.
    case interrupt
    /// Time has passed.
    case tick
  }

  package enum Purpose: Sendable, Equatable { case outputs, bytes }

  package enum Action: Sendable, Equatable {
    /// Say whether it has to run; for `bytes`, a result whose bytes are gone does not count.
    case judge(Int, Purpose)
    /// `attempt` counts from 1; `gpus` are places in the machine's list.
    case start(Int, attempt: Int, gpus: [Int])
    /// Ask it to stop.
    case stop(Int, StopCause)
    /// End it by force.
    case kill(Int)
    /// It will be tried again after so many seconds.
    case retry(Int, afterSeconds: Double)
    /// It has ended; for `skipped`, the failed instance it hangs on, if it hangs on one.
    case finish(Int, Outcome, because: Int?)
  }

  package enum StopCause: Sendable, Equatable { case timeout, interrupt }
}
