import Hashing
import JSONValues

/// Makes the key of an instance. Everything that is hashed is walked here, once; what explains a rerun reads the same parts.
///
/// The parts, as one JSON object (members in canonical order):
/// ```
/// {"format": "heirloom-key-1",
///  "inputs": {"model": "sha256:…", "data": ["sha256:…", …], "scores": [{"digest": "sha256:…", "labels": [["suite","sort"], …]}, …]},
///  "numerics": "native",                       numeric stages only
///  "outputs": ["model"],
///  "parameters": {…},                          all but those that affect speed only
///  "run": {"native": "train/sft"}
///       | {"command": […], "keyed_environment": {…}, "sources": {"train.py": "sha256:…"}, "versions": [{"command": […], "prints": "…"}]},
///  "stage": "train/sft", "version": 1}
/// ```
/// Instance and recipe names, paths, resources, retries and times are not in it. Absent optional inputs are left out.
package enum KeyBuilder {
  package static let format = "heirloom-key-1"

  /// The key of an instance whose inputs have these contents: `inputs[i][j]` is the digest of element j of input i.
  package static func key(_ instance: StageInstance, inputs: [[Digest]], environment: KeyEnvironment) -> StageKey {
    var walk = KeyWalk()
    walk.append(instance, inputs: inputs, environment: environment)
    return StageKey(canonical: walk.bytes)
  }

  /// Places of names in canonical order.
  static func order(_ names: [String]) -> [Int] {
    names.indices.sorted { CanonicalJSON.precedes(names[$0], names[$1]) }
  }
}
