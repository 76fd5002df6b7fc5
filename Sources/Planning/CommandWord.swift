import JSONValues

/// One word of a command with its `${…}` taken apart; checked against the contract when that is read, replaced when the command starts.
///
/// `${stage.dir}`, `${inputs.NAME}`, `${outputs.NAME}`, `${params.NAME}` (and `${params.NAME.FIELD}`); `$${` is a literal `${`.
/// A word that is one whole `${inputs.NAME}` of a list input, or one whole `${params.NAME}` of a list, becomes as many words as there
/// are elements. An optional input that is absent and a parameter that is null are the empty string; a record is canonical JSON.
package struct CommandWord: Sendable, Equatable {
  package enum Piece: Sendable, Equatable {
    case text(String)
    case stageDirectory
    case input(String)
    case output(String)
    case parameter([String])
  }

  /// As the contract has it.
  package let written: String
  package let pieces: [Piece]

  package init(written: String, pieces: [Piece]) { (self.written, self.pieces) = (written, pieces) }
}
