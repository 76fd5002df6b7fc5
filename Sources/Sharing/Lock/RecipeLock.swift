import Artifacts
import Hashing
import JSONValues

/// What a recipe came to, written down so that somebody else can tell whether it comes to the same: everything that goes in by digest, and
/// every instance with its key, what the key is made of, and what came out.
///
/// It holds no time, host, or path outside the project, so the same state is the same text. It knows no store and runs nothing.
package struct RecipeLock: Sendable, Equatable {
  /// A file that planning read, or that a command is made of; paths are relative to `root`, `/` between.
  package struct File: Sendable, Equatable {
    package let path: String
    package let digest: Digest
    package let size: Int

    package init(path: String, digest: Digest, size: Int) {
      self.path = path
      self.digest = digest
      self.size = size
    }
  }

  package struct Contract: Sendable, Equatable {
    package let stage: String
    package let version: Int
    /// Of the contract's text.
    package let digest: Digest
    /// The project's own (its path), or nil for one that came with the program.
    package let path: String?

    package init(stage: String, version: Int, digest: Digest, path: String?) {
      self.stage = stage
      self.version = version
      self.digest = digest
      self.path = path
    }
  }

  /// A source file or directory among the inputs.
  package struct Source: Sendable, Equatable {
    /// Relative to `root` where it lies below, else as the manifest has it.
    package let origin: String
    package let digest: Digest
    package let size: Int
    package let isDirectory: Bool
    /// Instances that take it, in order of their names.
    package let instances: [String]

    package init(origin: String, digest: Digest, size: Int, isDirectory: Bool, instances: [String]) {
      self.origin = origin
      self.digest = digest
      self.size = size
      self.isDirectory = isDirectory
      self.instances = instances
    }
  }

  package struct Output: Sendable, Equatable {
    package let name: String
    package let type: String
    package let digest: Digest
    package let size: Int
    package let isDirectory: Bool
    /// Of scores: value and standard error of every metric, for comparing across kernels.
    package let metrics: JSONObject

    package init(name: String, type: String, digest: Digest, size: Int, isDirectory: Bool, metrics: JSONObject) {
      self.name = name
      self.type = type
      self.digest = digest
      self.size = size
      self.isDirectory = isDirectory
      self.metrics = metrics
    }
  }

  package struct Instance: Sendable, Equatable {
    package let name: String
    package let stage: String
    /// Nil while its inputs are not known: the recipe has not been run so far.
    package let key: Digest?
    /// What the key is the digest of; null without a key.
    package let parts: JSONValue
    /// Nil while there is no result.
    package let outputs: [Output]?
    /// Digests that the manifest itself pins.
    package let expected: [String: Digest]
    /// The kernel that the result was computed with, where that is recorded.
    package let kernel: String?

    package init(
      name: String, stage: String, key: Digest?, parts: JSONValue, outputs: [Output]?, expected: [String: Digest], kernel: String?
    ) {
      self.name = name
      self.stage = stage
      self.key = key
      self.parts = parts
      self.outputs = outputs
      self.expected = expected
      self.kernel = kernel
    }
  }

  package let recipe: String
  /// The manifest, relative to the top of the files.
  package let manifest: String
  package let engine: String
  package let numerics: String
  /// The recipe's, after profile and `--set`.
  package let parameters: JSONObject
  package let files: [File]
  package let contracts: [Contract]
  package let sources: [Source]
  package let instances: [Instance]

  package init(
    recipe: String, manifest: String, engine: String, numerics: String, parameters: JSONObject, files: [File], contracts: [Contract],
    sources: [Source], instances: [Instance]
  ) {
    self.recipe = recipe
    self.manifest = manifest
    self.engine = engine
    self.numerics = numerics
    self.parameters = parameters
    self.files = files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    self.contracts = contracts.sorted { $0.stage.utf8.lexicographicallyPrecedes($1.stage.utf8) }
    self.sources = sources.sorted { $0.origin.utf8.lexicographicallyPrecedes($1.origin.utf8) }
    self.instances = instances.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  package static let mostBytes = 256 << 20

  package func instance(_ name: String) -> Instance? { instances.first { $0.name.utf8.elementsEqual(name.utf8) } }

  /// By name, for look-ups of many.
  package var byName: [ByteString: Instance] {
    Dictionary(instances.map { (ByteString($0.name), $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Of the text.
  package var digest: Digest { Digest(hashing: bytes) }

  package var lockedInstances: Int { instances.count { $0.outputs != nil } }

  /// `quickstart.lock` for `quickstart.yaml`, beside it.
  package static func path(ofManifest manifest: String) -> String {
    for ending in [".yaml", ".yml"] where manifest.hasSuffix(ending) { return manifest.dropLast(ending.count) + ".lock" }
    return manifest + ".lock"
  }
}
