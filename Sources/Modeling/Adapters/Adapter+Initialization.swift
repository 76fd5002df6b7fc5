import Kernels

extension Adapter {
  /// A new adapter that changes nothing yet, as PEFT begins: A uniform in ±1/√inputs (Kaiming's with a = √5), B zero, and with DoRA m the
  /// norms of the base's rows. Each tensor has its own random stream, named after it.
  package static func fresh(
    _ settings: LoRASettings, on base: ParameterArena, _ configuration: ModelConfiguration, seed: UInt64, _ pool: ThreadPool
  ) throws(ModelError) -> Adapter {
    let adapter = Adapter(settings, try settings.modules(configuration))
    for module in adapter.modules {
      let random = Philox(seed: seed, name: "initialisation/" + Adapter.nameOfA(module.name))
      let bound = Float(1 / Double(module.linear.inputs).squareRoot())
      for i in 0..<module.rank * module.linear.inputs { module.a[i] = (2 * random.uniformFloat(UInt64(i)) - 1) * bound }
    }
    if settings.isWeightDecomposed {
      adapter.measure(base, pool)
      adapter.setMagnitudes()
      adapter.refresh(base, pool)
    }
    return adapter
  }

  /// The same numbers in memory of their own.
  package func copy() -> Adapter {
    let copy = Adapter(settings, modules.map(\.linear), composition: composition)
    copy.arena.pointer.update(from: arena.pointer, count: arena.count)
    return copy
  }
}
