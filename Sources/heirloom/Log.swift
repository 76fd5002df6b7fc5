import ArgumentParser
import Execution
import Foundation

/// `heirloom log INSTANCE`: what a stage wrote on its standard output and error.
struct Log: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Print what a stage wrote while it ran.")

  @Argument(help: "The instance: 'tuned[0.001]'.") var instance: String
  @OptionGroup var which: RunChoiceArguments

  func run() throws {
    let queries = try which.queries()
    FileHandle.standardOutput.write(Data(try queries.log(queries.find(instance, in: which.choice))))
  }
}
