import Hashing
import JSONValues
import Planning
import StageInterface

/// A command's words with everything filled in, for one attempt.
enum CommandExpansion {
  static func words(_ command: StageContract.Command, directory: String, order: StageOrder) -> [String] {
    command.words.flatMap { expand($0, directory, order) }
  }

  private static func expand(_ word: CommandWord, _ directory: String, _ order: StageOrder) -> [String] {
    if word.pieces.count == 1, let many = list(word.pieces[0], order) { return many }
    return [word.pieces.map { text($0, directory, order) }.joined()]
  }

  /// The elements of a piece that stands for a list; nil for any other.
  private static func list(_ piece: CommandWord.Piece, _ order: StageOrder) -> [String]? {
    switch piece {
    case .input(let name):
      guard let input = order.inputs.first(where: { $0.name == name }), input.isList else { return nil }
      return input.elements.map(\.path)
    case .parameter(let path): return value(path, order)?.arrayValue?.map(text)
    default: return nil
    }
  }

  private static func text(_ piece: CommandWord.Piece, _ directory: String, _ order: StageOrder) -> String {
    switch piece {
    case .text(let text): text
    case .stageDirectory: directory
    case .input(let name): (order.inputs.first { $0.name == name }?.elements.map(\.path) ?? []).joined(separator: " ")
    case .output(let name): order.outputs.first { $0.name == name }?.path ?? ""
    case .parameter(let path): value(path, order).map(text) ?? ""
    }
  }

  private static func value(_ path: [String], _ order: StageOrder) -> JSONValue? {
    path.reduce(.object(order.parameters)) { (value: JSONValue?, name) in value?[name] }
  }

  private static func text(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): text
    case .null: ""
    default: CanonicalJSON.text(value)
    }
  }
}
