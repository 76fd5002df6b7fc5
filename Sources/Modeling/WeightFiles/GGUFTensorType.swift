/// The tensor types of GGUF that are read, with their numbers in the file and the size of their blocks. Knows nothing of dequantisation.
package enum GGUFTensorType: UInt32, Sendable, CaseIterable {
  case f32 = 0
  case f16 = 1
  case q40 = 2
  case q41 = 3
  case q50 = 6
  case q51 = 7
  case q80 = 8
  case q2K = 10
  case q3K = 11
  case q4K = 12
  case q5K = 13
  case q6K = 14
  case bf16 = 30

  /// As ggml prints it.
  package var name: String {
    switch self {
    case .f32: "F32"
    case .f16: "F16"
    case .q40: "Q4_0"
    case .q41: "Q4_1"
    case .q50: "Q5_0"
    case .q51: "Q5_1"
    case .q80: "Q8_0"
    case .q2K: "Q2_K"
    case .q3K: "Q3_K"
    case .q4K: "Q4_K"
    case .q5K: "Q5_K"
    case .q6K: "Q6_K"
    case .bf16: "BF16"
    }
  }

  /// Values that share one block; a row is a whole number of blocks.
  package var blockSize: Int {
    switch self {
    case .f32, .f16, .bf16: 1
    case .q40, .q41, .q50, .q51, .q80: 32
    case .q2K, .q3K, .q4K, .q5K, .q6K: 256
    }
  }

  package var blockBytes: Int {
    switch self {
    case .f32: 4
    case .f16, .bf16: 2
    case .q40: 18
    case .q41: 20
    case .q50: 22
    case .q51: 24
    case .q80: 34
    case .q2K: 84
    case .q3K: 110
    case .q4K: 144
    case .q5K: 176
    case .q6K: 210
    }
  }

  /// Values of this type are approximations of those that were quantised.
  package var isQuantized: Bool { blockSize > 1 }

  /// Names of types that exist but are not read, for the error that says so.
  static let unreadNames: [UInt32: String] = [
    9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS",
    24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4", 40: "NVFP4",
  ]
}
