/// The colours of charts, in light or dark: data, so that the style sheet is made of them and tests can measure them.
///
/// The series follow Okabe and Ito ("Color Universal Design", 2008), made darker or lighter until each stands out from its background by
/// 3:1 and from the others for the three kinds of colour blindness.
package struct Palette: Sendable {
  package struct Pair: Sendable {
    package let fill: Color
    package let line: Color
  }

  package let background: Color
  package let text: Color
  package let muted: Color
  package let grid: Color
  package let axis: Color
  /// The first is for what is beyond the tenth.
  package let series: [Color]
  /// No change; the ends of a scale that goes both ways.
  package let even: Color
  package let loss: Color
  package let gain: Color
  private let stateLines: [InstanceState: Color]

  /// So many steps a diverging scale has on each side.
  package static let steps = 6

  /// Negative steps are losses; 0 is even.
  package func step(_ step: Int) -> Color {
    even.mixed(Double(abs(step)) / Double(Self.steps), of: step < 0 ? loss : gain)
  }

  package func state(_ state: InstanceState) -> Pair {
    let line = stateLines[state] ?? muted
    return Pair(fill: background.mixed(0.14, of: line), line: line)
  }

  package static let light = Palette(
    background: Color(0xFFFFFF), text: Color(0x1B1F24), muted: Color(0x57606A), grid: Color(0xE3E6EA), axis: Color(0x7D8590),
    series: colors([
      0x8A8F96, 0x0072B2, 0xD55E00, 0x007F5F, 0xB0408A, 0x6B5200, 0x3F97D8, 0x222222, 0x8A8F00, 0x5A3FC0, 0x8C1D18,
    ]),
    even: Color(0xF4F5F6), loss: Color(0xF39A57), gain: Color(0x62ACE4),
    stateLines: [
      .cached: Color(0x6A737D), .ran: Color(0x007F5F), .running: Color(0x0072B2), .waiting: Color(0x7D8590), .waits: Color(0x7D8590),
      .failed: Color(0xC4320A), .skipped: Color(0x8C6D1F), .interrupted: Color(0xA6610A), .run: Color(0x0072B2), .resume: Color(0x8F3A84),
    ])

  package static let dark = Palette(
    background: Color(0x16191D), text: Color(0xE6E9EC), muted: Color(0xA3ACB5), grid: Color(0x2C3137), axis: Color(0x818B95),
    series: colors([
      0x7C848D, 0x4BA3E3, 0xF08040, 0x2FC79A, 0xF0A8D4, 0xC09418, 0xB5E2FF, 0xFFFFFF, 0xF2EA6A, 0x9A86F5, 0xA8785A,
    ]),
    even: Color(0x22262B), loss: Color(0x9A4B10), gain: Color(0x1F5F94),
    stateLines: [
      .cached: Color(0x98A2AC), .ran: Color(0x2FC79A), .running: Color(0x4BA3E3), .waiting: Color(0x818B95), .waits: Color(0x818B95),
      .failed: Color(0xFF7B5A), .skipped: Color(0xC9A85A), .interrupted: Color(0xF0B060), .run: Color(0x4BA3E3), .resume: Color(0xE08FD0),
    ])

  private static func colors(_ values: [UInt32]) -> [Color] { values.map(Color.init) }
}
