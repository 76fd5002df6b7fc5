import Hashing
import JSONValues

/// The key of a result: the digest of everything that could change its bytes, and that everything in full.
package struct StageKey: Sendable {
  package let digest: Digest
  /// The parts as canonical JSON: what was hashed, and what is stored beside the result.
  package let canonical: [UInt8]

  package init(canonical: [UInt8]) {
    self.canonical = canonical
    digest = Digest(hashing: canonical)
  }

  /// The parts as a value, for storing and for comparing.
  package var parts: JSONValue {
    do {
      return try JSONValue(parsing: canonical)
    } catch {
      preconditionFailure("canonical JSON reads back: \(error)")
    }
  }
}

extension StageKey: Hashable {
  package static func == (left: StageKey, right: StageKey) -> Bool { left.digest == right.digest }
  package func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}

/// What a key needs beyond the instance and its inputs: looked up once a contract, not once an instance.
package struct KeyEnvironment: Sendable {
  /// Digests of the files a command's contract lists under `sources`, in that order.
  package var sourceDigests: [Digest]
  /// What the commands under `versions` printed, in that order.
  package var versionOutputs: [String]
  /// Values of the variables under `keyed_environment`, in that order; nil when unset.
  package var keyedEnvironment: [String?]
  package var numerics: NumericsClass

  package init(
    sourceDigests: [Digest] = [], versionOutputs: [String] = [], keyedEnvironment: [String?] = [], numerics: NumericsClass = .native
  ) {
    self.sourceDigests = sourceDigests
    self.versionOutputs = versionOutputs
    self.keyedEnvironment = keyedEnvironment
    self.numerics = numerics
  }
}
