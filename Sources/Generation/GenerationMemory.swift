import Modeling

/// The memory that generating works in: activations and caches. A generator has its own; who generates again and again with new generators
/// hands the same to all of them, for fresh memory costs time at its first use. One generation uses it at a time.
package final class GenerationMemory {
  private var held: (configuration: ModelConfiguration, tokens: Int, targets: Int, parts: Parts)?

  package init() {}

  struct Parts {
    let activations: Activations
    let prefixes: KeyValueCache
    let own: KeyValueCache
  }

  /// Parts that are at least so large; those of the last time where they do.
  func parts(
    _ configuration: ModelConfiguration, tokens: Int, targets: Int, prefixes: (slots: Int, capacity: Int), own: (slots: Int, capacity: Int)
  ) -> Parts {
    if let held, held.configuration == configuration, held.tokens >= tokens, held.targets >= targets, held.parts.prefixes.holds(prefixes),
      held.parts.own.holds(own)
    {
      return held.parts
    }
    held = nil
    let parts = Parts(
      activations: Activations(configuration, tokens: tokens, targets: targets, purpose: .inference),
      prefixes: KeyValueCache(configuration, slots: prefixes.slots, capacity: prefixes.capacity),
      own: KeyValueCache(configuration, slots: own.slots, capacity: own.capacity))
    held = (configuration, tokens, targets, parts)
    return parts
  }
}

extension KeyValueCache {
  fileprivate func holds(_ size: (slots: Int, capacity: Int)) -> Bool { slots >= size.slots && capacity >= size.capacity }
}
