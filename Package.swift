// swift-tools-version: 6.1
import PackageDescription

// The engine is compiled for x86-64-v3 (AVX2, FMA), the rest for the platform's baseline. `-fno-math-errno` lets `squareRoot()`
// vectorise. Kernels stay optimised in debug builds: unoptimised they are some hundred times slower.
#if arch(x86_64)
  let march = ["-Xcc", "-march=x86-64-v3", "-Xcc", "-fno-math-errno"]
#else
  let march = ["-Xcc", "-fno-math-errno"]
#endif
let strict: [SwiftSetting] = [.unsafeFlags(["-warnings-as-errors"])]
let vectorised: [SwiftSetting] = strict + [.unsafeFlags(march), .unsafeFlags(["-O"], .when(configuration: .debug))]

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
/// Hummingbird's server without its router, and what its interface is made of.
let web: [Target.Dependency] = [
  .product(name: "HummingbirdCore", package: "hummingbird"), .product(name: "NIOCore", package: "swift-nio"),
  .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
  .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "Logging", package: "swift-log"),
]
/// The client of the same family, and what its interface is made of.
let client: [Target.Dependency] = [
  .product(name: "AsyncHTTPClient", package: "async-http-client"), .product(name: "NIOCore", package: "swift-nio"),
  .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
]
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

/// Foundation's own ICU, of which Foundation shows too little of regular expressions.
let icu = LinkerSetting.linkedLibrary("_FoundationICU")

func runner(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func engine(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: vectorised)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], fixtures: Bool = false) -> Target {
  // No warnings-as-errors here: what the testing macros expand to has warnings of its own.
  .testTarget(name: name, dependencies: dependencies, exclude: fixtures ? ["Fixtures"] : [])
}

let package = Package(
  name: "heirloom",
  products: [
    .executable(name: "heirloom", targets: ["heirloom"]), .executable(name: "heirloom-warden", targets: ["heirloom-warden"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
  ],
  targets: [
    .systemLibrary(name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .target(name: "CProcesses"),
    // Starts with every command stage: without the dynamic linker that takes a third of the time, and without Swift.
    .executableTarget(
      name: "heirloom-warden", path: "Sources/Warden", cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra", "-Werror"])],
      linkerSettings: [.unsafeFlags(["-nostartfiles", "-static-executable", "-Xlinker", "--gc-sections"])]),
    .target(name: "COpenBLAS"),
    .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3", "-fno-math-errno", "-ffp-contract=off"])]),

    runner("JSONValues", []),
    runner("Diagnostics", []),
    runner("Hashing", ["JSONValues", crypto]),
    runner("Manifests", ["CLibYAML", "Diagnostics", "JSONValues"]),
    runner("Planning", ["Manifests", "Hashing", "Diagnostics", "JSONValues"]),
    runner("Artifacts", ["CProcesses", "Hashing", "JSONValues"]),
    runner("StageInterface", ["JSONValues"]),
    runner("Execution", ["CProcesses", "Planning", "Artifacts", "StageInterface", "Hashing", "Diagnostics", "JSONValues"]),
    runner(
      "Remotes",
      [
        "CProcesses", "Execution", "Planning", "Manifests", "Artifacts", "Hashing", "Diagnostics", "JSONValues", crypto,
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ] + client),
    runner("Slurm", ["CProcesses", "Execution", "Planning", "Manifests", "Artifacts", "Diagnostics", "JSONValues"]),
    runner("Sharing", ["Remotes", "Execution", "Planning", "Artifacts", "Hashing", "Diagnostics", "JSONValues", crypto]),
    runner("Endpoint", ["CProcesses", "Diagnostics", "JSONValues"] + client),
    runner("Plotting", ["Diagnostics", "JSONValues"]),
    .target(
      name: "Reporting", dependencies: ["Execution", "Planning", "Artifacts", "Plotting", "Hashing", "Diagnostics", "JSONValues"],
      resources: [.embedInCode("Assets/report.css"), .embedInCode("Assets/report.js")], swiftSettings: strict),
    .target(
      name: "Serving", dependencies: ["Reporting", "Execution", "Artifacts", "Hashing", "JSONValues"] + web,
      resources: [.embedInCode("Assets/live.js"), .embedInCode("Assets/pages.js"), .embedInCode("Assets/serve.css")],
      swiftSettings: strict),

    engine("Kernels", ["CKernels", "COpenBLAS"]),
    engine("Modeling", ["Kernels", "JSONValues"]),
    runner("Tokenization", ["JSONValues"]),
    runner("Datasets", ["Tokenization", "JSONValues"]),
    engine("Training", ["Modeling", "Kernels", "JSONValues"]),
    engine("Generation", ["Modeling", "Kernels", "JSONValues"]),
    .target(
      name: "Evaluation",
      dependencies: ["CProcesses", "Generation", "Modeling", "Kernels", "Datasets", "Tokenization", "JSONValues"],
      swiftSettings: strict, linkerSettings: [icu]),
    engine("Merging", ["Modeling", "Kernels", "JSONValues"]),
    engine(
      "Reinforcement",
      ["Evaluation", "Generation", "Training", "Modeling", "Kernels", "Datasets", "Tokenization", "JSONValues"]),

    runner(
      "Stages",
      [
        "StageInterface", "Plotting", "Kernels", "Modeling", "Tokenization", "Datasets", "Training", "Generation", "Evaluation", "Merging",
        "Reinforcement", "Endpoint", "JSONValues",
      ]),
    .executableTarget(
      name: "heirloom",
      dependencies: [
        "Stages", "Reporting", "Serving", "Sharing", "Remotes", "Slurm", "Execution", "Planning", "Artifacts", "Manifests", "Diagnostics",
        "Hashing", "StageInterface", "Generation", "Modeling", "Tokenization", "Kernels", "Plotting", "JSONValues", arguments,
      ],
      swiftSettings: strict),

    tests("JSONValuesTests", ["JSONValues"]),
    tests("DiagnosticsTests", ["Diagnostics"]),
    tests("PlottingTests", ["Plotting", "JSONValues"], fixtures: true),
    tests("HashingTests", ["Hashing", "JSONValues"]),
    tests("ManifestsTests", ["Manifests", "Diagnostics", "JSONValues"]),
    // A test's HTTP server, for several test targets.
    .target(name: "ScriptedServers", path: "Tests/ScriptedServers", swiftSettings: strict),
    tests("EndpointTests", ["Endpoint", "ScriptedServers", "JSONValues"]),
    tests("PlanningTests", ["Planning", "Manifests", "Hashing", "Diagnostics", "JSONValues"]),
    tests("ArtifactsTests", ["Artifacts", "Hashing", "JSONValues"]),
    tests(
      "ExecutionTests",
      ["Execution", "Planning", "Artifacts", "StageInterface", "Hashing", "Diagnostics", "JSONValues", "Manifests", "heirloom"]),
    tests("SlurmTests", ["Slurm", "Execution", "Planning", "Manifests", "Artifacts", "Diagnostics", "JSONValues"]),
    tests("ChaosTests", ["CProcesses", "Execution", "Planning", "Artifacts", "Hashing", "JSONValues", "heirloom"]),
    tests("KernelsTests", ["Kernels", "CKernels", "COpenBLAS"]),
    tests("ModelingTests", ["Modeling", "Kernels", "JSONValues"], fixtures: true),
    tests("TokenizationTests", ["Tokenization", "JSONValues"], fixtures: true),
    tests("DatasetsTests", ["Datasets", "Tokenization", "JSONValues"]),
    tests("TrainingTests", ["Training", "Modeling", "Kernels", "JSONValues"], fixtures: true),
    tests("GenerationTests", ["Generation", "Modeling", "Kernels", "Tokenization", "JSONValues"]),
    tests("EvaluationTests", ["Evaluation", "Generation", "Modeling", "Kernels", "Datasets", "Tokenization", "JSONValues"]),
    tests(
      "ReinforcementTests",
      [
        "Reinforcement", "Evaluation", "Generation", "Training", "Modeling", "Kernels", "Datasets", "Tokenization", "JSONValues",
      ], fixtures: true),
    tests(
      "StagesTests",
      [
        "Stages", "StageInterface", "Planning", "Diagnostics", "Hashing", "Datasets", "Evaluation", "Kernels", "Modeling", "Reinforcement",
        "Training", "Tokenization", "Plotting", "ScriptedServers", "JSONValues",
      ]),
    tests(
      "ReportingTests",
      ["Reporting", "Plotting", "Execution", "Planning", "Artifacts", "Hashing", "Diagnostics", "JSONValues", "heirloom"], fixtures: true),
    tests("ServingTests", ["Serving", "Reporting", "Execution", "Artifacts", "Hashing", "JSONValues"]),
    tests("BrowserTests", ["CProcesses", "Serving", "Reporting", "Execution", "Planning", "Artifacts", "Hashing", "JSONValues"]),
    tests(
      "RemotesTests",
      ["Remotes", "Execution", "Planning", "Artifacts", "CProcesses", "Hashing", "Diagnostics", "JSONValues", "heirloom"]),
    tests("SharingTests", ["Sharing", "Execution", "Planning", "Artifacts", "Hashing", "Diagnostics", "JSONValues", "heirloom"]),
    tests(
      "WebRemotesTests",
      [
        "Remotes", "Artifacts", "Hashing", "ScriptedServers", "JSONValues", .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ], fixtures: true),
    tests("ServiceTests", ["Remotes", "Artifacts", "Hashing", "JSONValues", "heirloom", .product(name: "NIOHTTP1", package: "swift-nio")]),
    tests("CommandLineTests", ["heirloom", "Planning", "Hashing", "JSONValues"]),
    tests(
      "HostileTests",
      [
        "Reinforcement", "Execution", "Planning", "Artifacts", "Manifests", "Diagnostics", "Hashing", "StageInterface", "Evaluation",
        "Training", "Modeling", "Kernels", "Tokenization", "Datasets", "JSONValues",
      ], fixtures: true),
    tests("MergingTests", ["Merging", "Modeling", "Kernels", "JSONValues"], fixtures: true),
  ]
)
