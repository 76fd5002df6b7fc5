import Diagnostics
import Foundation

/// What this process writes on, and whether colour is welcome there.
enum Terminal {
  static let errors = DiagnosticRenderer(style: hasColor(2) ? .colored : .plain)

  static func hasColor(_ descriptor: Int32) -> Bool {
    isatty(descriptor) == 1 && (Program.variables["NO_COLOR"] ?? "").isEmpty && Program.variables["TERM"] != "dumb"
  }

  static func warn(_ diagnostics: [Diagnostic]) {
    guard !diagnostics.isEmpty else { return }
    FileHandle.standardError.write(Data(errors.render(diagnostics).utf8))
  }

  /// A line on standard output. A reader that has gone away (`| head`) ends the program quietly, as SIGPIPE does for others.
  static func say(_ text: String, terminator: String = "\n") { FileHandle.standardOutput.write(Data((text + terminator).utf8)) }
}
