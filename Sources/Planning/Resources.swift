/// What an instance may use while it runs. Not in its key.
package struct Resources: Sendable, Equatable {
  package var cpus: Int
  /// Bytes; nil when nothing is said.
  package var memoryBytes: Int?
  package var gpus: Int
  /// Whether the memory is a promise of the stage's author or of the manifest, and so a limit; else a figure to plan with.
  package var isMemoryStated: Bool

  /// Bytes above which it is ended.
  package var memoryLimit: Int? { isMemoryStated ? memoryBytes : nil }

  package init(cpus: Int = 1, memoryBytes: Int? = nil, gpus: Int = 0, isMemoryStated: Bool = false) {
    self.cpus = cpus
    self.memoryBytes = memoryBytes
    self.gpus = gpus
    self.isMemoryStated = isMemoryStated
  }
}
