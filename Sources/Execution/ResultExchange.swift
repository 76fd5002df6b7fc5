import Hashing

/// Another place that results can be had from and given to while a recipe runs. Whatever goes wrong there slows a run down and never fails
/// it: no call throws.
package protocol ResultExchange: Sendable {
  /// Looks a key up and takes its result into the store, by those who hold the key's lock; blocks, for a limited time. Called from several
  /// threads at once.
  ///
  /// - Parameter bytes: whether the outputs themselves are wanted, or their digests will do.
  func fetch(_ key: Digest, bytes: Bool) -> FetchOutcome

  /// A result was computed and is in the store. Returns at once.
  func offer(_ key: Digest)

  /// What there is to tell since it was last asked.
  func notices() -> [String]
}

package enum FetchOutcome: Sendable, Equatable {
  /// The result is in the store, with its bytes if they were wanted.
  case fetched
  /// It is not there, or not to be had.
  case none
}
