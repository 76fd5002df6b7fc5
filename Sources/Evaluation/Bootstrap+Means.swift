import Datasets

extension Bootstrap {
  /// The mean of each of `samples` resamples of the values, drawn with replacement, in the order of drawing.
  package static func resampledMeans(_ values: [Double], samples: Int, seed: UInt64) -> [Double] {
    var random = CounterRandom(seed: seed, "bootstrap means")
    return (0..<samples).map { _ in
      var sum = 0.0
      for _ in values.indices { sum += values[random.below(values.count)] }
      return sum / Double(values.count)
    }
  }
}
