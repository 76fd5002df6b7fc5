import Foundation

/// How much is tried: little in every test run, much when `scripts/chaos` asks for it by the environment.
enum Amount {
  /// Kills in a campaign.
  static let kills = number("HEIRLOOM_CHAOS_KILLS") ?? 20
  static let seed = UInt64(number("HEIRLOOM_CHAOS_SEED") ?? 20_261_121)
  /// Places at which each kind of fault is tried; nil for every operation there is.
  static let faults: Int? = word("HEIRLOOM_CHAOS_FAULTS") == "all" ? nil : number("HEIRLOOM_CHAOS_FAULTS") ?? 2
  /// Rounds of several runs at once.
  static let rounds = number("HEIRLOOM_CHAOS_ROUNDS") ?? 3

  private static func word(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
  private static func number(_ name: String) -> Int? { word(name).flatMap { Int($0) } }
}

/// A generator of bits, the same for the same seed.
struct SeededBits: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z &>> 31)
  }
}
