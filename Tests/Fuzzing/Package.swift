// swift-tools-version: 6.0
import PackageDescription

// Fuzzers of every parser, built by `scripts/fuzz` with `--sanitize fuzzer`. What they parse is internal to Heirloom's package, so its
// sources are built here a second time, through links, with counters at their branches.
#if arch(x86_64)
  let march = ["-Xcc", "-march=x86-64-v3", "-Xcc", "-fno-math-errno"]
#else
  let march = ["-Xcc", "-fno-math-errno"]
#endif
let engine: [SwiftSetting] = [.unsafeFlags(march)]

let package = Package(
  name: "fuzzing",
  targets: [
    .systemLibrary(name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .target(name: "CProcesses"),
    .target(name: "COpenBLAS"),
    .target(name: "Crypto"),
    .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3", "-fno-math-errno", "-ffp-contract=off"])]),
    .target(name: "JSONValues"),
    .target(name: "Diagnostics"),
    .target(name: "Hashing", dependencies: ["JSONValues", "Crypto"]),
    .target(name: "Manifests", dependencies: ["CLibYAML", "Diagnostics", "JSONValues"]),
    .target(name: "Planning", dependencies: ["Manifests", "Hashing", "Diagnostics", "JSONValues"]),
    .target(name: "Artifacts", dependencies: ["CProcesses", "Hashing", "JSONValues"]),
    .target(name: "StageInterface", dependencies: ["JSONValues"]),
    .target(
      name: "Execution",
      dependencies: ["CProcesses", "Planning", "Artifacts", "StageInterface", "Hashing", "Diagnostics", "JSONValues"]),
    .target(name: "Kernels", dependencies: ["CKernels", "COpenBLAS"], swiftSettings: engine),
    .target(name: "Modeling", dependencies: ["Kernels", "JSONValues"], swiftSettings: engine),
    .target(name: "Tokenization", dependencies: ["JSONValues"]),
    .target(name: "Datasets", dependencies: ["Tokenization", "JSONValues"]),
    .target(name: "Training", dependencies: ["Modeling", "Kernels", "JSONValues"], swiftSettings: engine),
    .target(name: "Generation", dependencies: ["Modeling", "Kernels", "JSONValues"], swiftSettings: engine),
    .target(
      name: "Evaluation",
      dependencies: ["CProcesses", "Generation", "Modeling", "Kernels", "Datasets", "Tokenization", "JSONValues"],
      linkerSettings: [.linkedLibrary("_FoundationICU")]),
    .target(
      name: "Reinforcement",
      dependencies: ["Evaluation", "Generation", "Training", "Modeling", "Kernels", "Datasets", "Tokenization", "JSONValues"],
      swiftSettings: engine),
    .executableTarget(
      name: "Fuzzing",
      dependencies: [
        "Reinforcement", "Execution", "Planning", "Artifacts", "Manifests", "Diagnostics", "Hashing", "StageInterface", "Evaluation",
        "Training", "Modeling", "Kernels", "Tokenization", "Datasets", "JSONValues",
      ]),
  ],
  swiftLanguageModes: [.v6]
)
