import Planning

extension Scheduler.Need {
  /// An instance that wants more than there is has the whole machine to itself.
  init(_ instance: StageInstance, _ options: RunOptions) {
    let machine = options.machine
    self.init(
      cpus: min(options.threads(for: instance), max(1, machine.cpus)),
      memoryBytes: min(instance.resources.memoryBytes ?? 0, machine.memoryBytes),
      gpus: min(instance.resources.gpus, machine.gpus.count))
  }
}

extension RunOptions {
  func threads(for instance: StageInstance) -> Int { max(1, threads ?? min(instance.resources.cpus, machine.cpus)) }
}
