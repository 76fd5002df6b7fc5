import Diagnostics
import Foundation
import Reporting

/// What this process writes on, and whether colour is welcome there.
enum Terminal {
  static let errors = DiagnosticRenderer(style: hasColor(2) ? .colored : .plain)

  static func hasColor(_ descriptor: Int32) -> Bool {
    ColorWish.isColored(isTerminal: isatty(descriptor) == 1, variables: Program.variables)
  }

  /// What tables may look like there.
  static func style(_ descriptor: Int32) -> TerminalStyle {
    var size = winsize()
    let isTerminal = isatty(descriptor) == 1
    let columns = isTerminal && ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : nil
    return TerminalStyle.detect(isTerminal: isTerminal, variables: Program.variables, columns: columns)
  }

  static func warn(_ diagnostics: [Diagnostic]) {
    guard !diagnostics.isEmpty else { return }
    FileHandle.standardError.write(Data(errors.render(diagnostics).utf8))
  }

  /// A path as one would type it here.
  static func shortened(_ path: String) -> String {
    let here = Program.planning.workingDirectory + "/"
    return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
  }

  /// A line on standard output. A reader that has gone away (`| head`) ends the program quietly, as SIGPIPE does for others.
  static func say(_ text: String, terminator: String = "\n") { FileHandle.standardOutput.write(Data((text + terminator).utf8)) }
}
