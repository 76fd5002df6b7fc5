import Plotting
import Testing

@Suite("Colours") struct PaletteTests {
  static let palettes = [("light", Palette.light), ("dark", Palette.dark)]

  @Test("text is read everywhere it stands: 4.5 to 1", arguments: palettes)
  func text(_ name: String, _ palette: Palette) {
    #expect(palette.text.contrast(to: palette.background) >= 7)
    #expect(palette.muted.contrast(to: palette.background) >= 4.5)
    for step in -Palette.steps...Palette.steps {
      #expect(palette.text.contrast(to: palette.step(step)) >= 4.5, "step \(step) in \(name)")
    }
    for state in InstanceState.allCases {
      #expect(palette.text.contrast(to: palette.state(state).fill) >= 4.5, "\(state) in \(name)")
      #expect(palette.muted.contrast(to: palette.state(state).fill) >= 4.5, "\(state) in \(name), below the name")
    }
  }

  @Test("marks and borders are seen: 3 to 1", arguments: palettes)
  func marks(_ name: String, _ palette: Palette) {
    for (index, color) in palette.series.enumerated() {
      #expect(color.contrast(to: palette.background) >= 3, "s\(index) in \(name)")
    }
    #expect(palette.axis.contrast(to: palette.background) >= 3)
    for state in InstanceState.allCases {
      #expect(palette.state(state).line.contrast(to: palette.background) >= 3, "\(state) in \(name)")
      #expect(palette.state(state).line.contrast(to: palette.state(state).fill) >= 3, "\(state) in \(name)")
    }
  }

  /// Red, green and blue as those see them who lack one kind of cone (Machado, Oliveira and Fernandes 2009, severity 1), in linear light.
  static let eyes: [(String, [[Double]])] = [
    ("all cones", [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    ("protanopia", [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    ("deuteranopia", [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    ("tritanopia", [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
  ]

  /// CIE L*a*b* of linear light, D65.
  static func lab(_ light: [Double]) -> [Double] {
    func cube(_ value: Double) -> Double {
      let value = max(value, 0)
      return value > 0.008856 ? root(value) : 7.787 * value + 16 / 116
    }
    func root(_ value: Double) -> Double {
      var guess = 1.0
      for _ in 0..<60 { guess -= (guess - value / (guess * guess)) / 3 }
      return guess
    }
    let x = cube((0.4124 * light[0] + 0.3576 * light[1] + 0.1805 * light[2]) / 0.95047)
    let y = cube(0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2])
    let z = cube((0.0193 * light[0] + 0.1192 * light[1] + 0.9505 * light[2]) / 1.08883)
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
  }

  @Test("series differ for every kind of eye; the first four clearly", arguments: palettes)
  func series(_ name: String, _ palette: Palette) {
    for (eye, matrix) in Self.eyes {
      let seen = palette.series.dropFirst().map { color in
        Self.lab(matrix.map { row in zip(row, color.light).reduce(0) { $0 + $1.0 * $1.1 } })
      }
      for first in seen.indices {
        for second in 0..<first {
          let distance = zip(seen[first], seen[second]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
          #expect(distance >= (first < 4 ? 12 : 6), "s\(second + 1) and s\(first + 1) in \(name) with \(eye)")
        }
      }
    }
  }

  @Test("the style sheet has every colour, and dark only on a screen")
  func sheet() {
    for index in 0...ChartStyle.coloredSeries { #expect(ChartStyle.css.contains("--s\(index):\(Palette.dark.series[index].hex)")) }
    #expect(ChartStyle.css.contains("@media screen and (prefers-color-scheme:dark){:root:not([data-theme=\"light\"]){--ground:#16191d"))
    #expect(ChartStyle.css.contains("@media screen{:root[data-theme=\"dark\"]{--ground:#16191d"))
    #expect(!ChartStyle.css.contains("<") && !ChartStyle.css.contains("url(") && !ChartStyle.css.contains("@import"))
  }
}
