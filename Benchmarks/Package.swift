// swift-tools-version: 6.0
import PackageDescription

// Measurements that are not tests. The engine's modules are internal to Heirloom's package, so their sources are built here a second time,
// through links.
#if arch(x86_64)
  let march = ["-Xcc", "-march=x86-64-v3", "-Xcc", "-fno-math-errno"]
#else
  let march = ["-Xcc", "-fno-math-errno"]
#endif
let engine: [SwiftSetting] = [.unsafeFlags(["-warnings-as-errors"] + march)]

let package = Package(
  name: "benchmarks",
  targets: [
    .target(name: "COpenBLAS"),
    .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3", "-fno-math-errno", "-ffp-contract=off"])]),
    .target(name: "Kernels", dependencies: ["CKernels", "COpenBLAS"], swiftSettings: engine),
    .target(name: "JSONValues"),
    .target(name: "Modeling", dependencies: ["Kernels", "JSONValues"], swiftSettings: engine),
    .target(name: "Training", dependencies: ["Modeling", "Kernels", "JSONValues"], swiftSettings: engine),
    .target(name: "Generation", dependencies: ["Modeling", "Kernels", "JSONValues"], swiftSettings: engine),
    .target(name: "Reinforcement", dependencies: ["Kernels"], sources: ["Policy"], swiftSettings: engine),
    .executableTarget(name: "KernelBench", dependencies: ["Kernels"], swiftSettings: engine),
    .executableTarget(
      name: "engine-bench", dependencies: ["Reinforcement", "Generation", "Training", "Modeling", "Kernels", "JSONValues"],
      path: "Sources/EngineBench", swiftSettings: engine),
  ],
  swiftLanguageModes: [.v6]
)
