/// What an instance may use while it runs. Not in its key.
package struct Resources: Sendable, Equatable {
  package var cpus: Int
  /// Bytes; nil when nothing is said.
  package var memoryBytes: Int?
  package var gpus: Int

  package init(cpus: Int = 1, memoryBytes: Int? = nil, gpus: Int = 0) {
    self.cpus = cpus
    self.memoryBytes = memoryBytes
    self.gpus = gpus
  }
}
