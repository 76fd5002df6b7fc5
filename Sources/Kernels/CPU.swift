import CKernels

/// The CPU, and the instruction set the kernels run on. Results do not depend on it: every kernel gives the same bits on all of them.
package struct CPU: Sendable, Equatable {
  package enum InstructionSet: Int32, Sendable, CaseIterable {
    case generic = 0
    case avx2 = 1
    case avx512 = 2
  }

  /// The brand string ("AMD EPYC 9B45 …"), or "" when the CPU does not tell.
  package let name: String
  /// The best set the CPU and the operating system support.
  package let best: InstructionSet

  package var avx512: Bool { best == .avx512 }

  package static let current: CPU = {
    let name = String(cString: hl_cpu_name()).split(separator: " ").joined(separator: " ")
    return CPU(name: name, best: InstructionSet(rawValue: Int32(hl_isa_best().rawValue)) ?? .generic)
  }()

  /// The set in use: `best`, unless overridden.
  package static var instructionSet: InstructionSet { InstructionSet(rawValue: Int32(hl_isa_current().rawValue)) ?? .generic }

  /// For tests and measurements: makes the kernels use `set` from now on, in the whole process. False when the CPU lacks it.
  @discardableResult
  package static func override(_ set: InstructionSet) -> Bool { hl_isa_override(hl_isa(UInt32(set.rawValue))) }

  /// What goes into a record to say which kernels made a number: "heirloom-gemm avx512 kc384".
  package static var kernelName: String { "heirloom-gemm \(instructionSet) kc\(hl_gemm_kc)" }
}

/// The numerics class of a run. `portable` promises equal bytes on every x86-64-v3 machine; the kernels of this module keep that promise in
/// both classes, so the class only says what the user asked for.
package enum KernelClass: String, Sendable, CaseIterable {
  case native
  case portable
}
