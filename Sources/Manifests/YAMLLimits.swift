/// Bounds that make a hostile file an error and not a hang.
package struct YAMLLimits: Sendable {
  package var bytes = 4 << 20
  package var depth = 64
  /// Counted after aliases and merges are expanded; what they name is shared, not copied.
  package var nodes = 1_000_000

  package init() {}
}
