/// How rotary frequencies are stretched for contexts longer than those of pretraining (`rope_scaling` of config.json).
package enum RopeScaling: Sendable, Equatable {
  /// Every frequency divided by `factor`.
  case linear(factor: Double)
  /// Llama 3.1: long wavelengths divided by `factor`, short ones kept, those between interpolated.
  case llama3(factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalMaxPositions: Int)

  /// The frequency of one rotary pair, in radians a position, after scaling.
  package func scaled(_ frequency: Double) -> Double {
    switch self {
    case .linear(let factor):
      return frequency / factor
    case .llama3(let factor, let low, let high, let original):
      let wavelength = 2 * Double.pi / frequency
      let positions = Double(original)
      if wavelength > positions / low { return frequency / factor }
      if wavelength < positions / high { return frequency }
      let smooth = (positions / wavelength - low) / (high - low)
      return (1 - smooth) * frequency / factor + smooth * frequency
    }
  }
}
