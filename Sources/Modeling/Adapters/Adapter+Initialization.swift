import Kernels

extension Adapter {
  /// A new adapter that changes nothing yet, as PEFT begins: A uniform in ±1/√inputs (Kaiming's with a = √5), B zero, and with DoRA m the
  /// norms of the base's rows. Each tensor has its own random stream, named after it and after the adapter's `number` in a sequence.
  package static func fresh(
    _ settings: LoRASettings, on base: ParameterArena, _ configuration: ModelConfiguration, seed: UInt64, number: Int = 0,
    _ pool: ThreadPool
  ) throws(ModelError) -> Adapter {
    let adapter = Adapter(settings, try settings.modules(configuration))
    for module in adapter.modules {
      let random = Philox(seed: seed, name: "initialisation/\(number)/" + Adapter.nameOfA(module.name))
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
}
