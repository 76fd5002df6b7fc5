import JSONValues
import Synchronization

/// Text to token ids and back, as tokenizer.json says: added tokens, normalisation, splitting, byte-level BPE.
///
/// It never changes once made and may be used from many threads. It knows nothing of chats and records.
package final class Tokenizer: Sendable {
  private let model: BytePairModel
  private let normalizer: Normalizer
  private let preTokenizer: PreTokenizer
  private let postProcessor: PostProcessor
  /// Tokens looked for in the raw text, and those looked for after normalisation.
  private let rawTokens: AddedTokenMatcher
  private let normalizedTokens: AddedTokenMatcher
  private let table: TokenTable
  let spelling: TokenSpelling
  package let addedTokens: [AddedToken]
  private let scratches = Mutex<[ScratchBox]>([])

  /// Compiles what a tokenizer file says; errors name the place in the file.
  package init(_ definition: TokenizerDefinition) throws(TokenizerError) {
    table = try Self.table(definition)
    model = try BytePairModel(definition, table)
    normalizer = definition.normalizer
    preTokenizer = definition.preTokenizer
    postProcessor = definition.postProcessor
    addedTokens = definition.addedTokens
    let normalizer = normalizer
    rawTokens = AddedTokenMatcher(addedTokens.filter { !$0.normalized }) { $0.content }
    normalizedTokens = AddedTokenMatcher(addedTokens.filter(\.normalized)) { normalizer.normalized($0.content) }
    spelling = TokenSpelling(table, addedTokens)
    for id in postProcessor.before + postProcessor.after where table.token(id) == nil {
      throw TokenizerError(path: "post_processor", message: "id \(id) belongs to no token")
    }
  }

  package convenience init(json: JSONValue) throws(TokenizerError) {
    try self.init(TokenizerDefinition(json: json))
  }

  private static func table(_ definition: TokenizerDefinition) throws(TokenizerError) -> TokenTable {
    var table = TokenTable()
    table.reserve(definition.vocabulary.count + definition.addedTokens.count)
    for (token, id) in definition.vocabulary { try table.add(token, id, path: TokenizerDefinition.vocabularyPath(token)) }
    var seen: Set<ByteString> = []
    for (index, token) in definition.addedTokens.enumerated() {
      if table.id(token.content) == token.id, seen.insert(ByteString(token.content)).inserted { continue }
      try table.add(token.content, token.id, path: "added_tokens[\(index)]")
      seen.insert(ByteString(token.content))
    }
    return table
  }

  // MARK: - Tokens

  /// One more than the largest id: the least number of rows that a model's embedding needs.
  package var vocabularySize: Int { table.count }

  /// The id of a token as the vocabulary spells it: `Ġthe`, `<|im_end|>`.
  package func id(_ token: String) -> Int32? { table.id(token) }

  /// The token with that id as the vocabulary spells it.
  package func token(_ id: Int32) -> String? { table.token(id) }

  /// What `addSpecialTokens` puts before a text.
  package var before: [Int32] { postProcessor.before }

  // MARK: - Encoding

  /// The ids of a text.
  ///
  /// - Parameters:
  ///   - addSpecialTokens: put before and after what the post-processor says.
  ///   - parseSpecial: take special tokens written in the text for tokens; false leaves them as plain text (a user's words).
  package func encode(_ text: String, addSpecialTokens: Bool = false, parseSpecial: Bool = true) -> [Int32] {
    var ids: [Int32] = addSpecialTokens ? postProcessor.before : []
    var text = text
    withScratch { scratch in
      text.withUTF8 { encode($0, special: parseSpecial, scratch, into: &ids) }
    }
    if addSpecialTokens { ids += postProcessor.after }
    return ids
  }

  private func encode(_ text: UnsafeBufferPointer<UInt8>, special: Bool, _ scratch: EncodingScratch, into ids: inout [Int32]) {
    ids.reserveCapacity(ids.count + text.count / 4 + 8)
    guard !rawTokens.isEmpty else { return encodeRaw(text, special: special, scratch, into: &ids) }
    for part in rawTokens.parts(text, special: special) {
      if let token = part.token {
        ids.append(token)
      } else {
        encodeRaw(UnsafeBufferPointer(rebasing: text[part.range]), special: special, scratch, into: &ids)
      }
    }
  }

  /// Text without raw added tokens: normalised here.
  private func encodeRaw(_ text: UnsafeBufferPointer<UInt8>, special: Bool, _ scratch: EncodingScratch, into ids: inout [Int32]) {
    if let normalized = normalizer.normalized(text) {
      normalized.withUnsafeBufferPointer { encodeNormalized($0, special: special, scratch, into: &ids) }
    } else {
      encodeNormalized(text, special: special, scratch, into: &ids)
    }
  }

  private func encodeNormalized(_ text: UnsafeBufferPointer<UInt8>, special: Bool, _ scratch: EncodingScratch, into ids: inout [Int32]) {
    guard !normalizedTokens.isEmpty else { return encodeWords(text, scratch, into: &ids) }
    for part in normalizedTokens.parts(text, special: special) {
      if let token = part.token {
        ids.append(token)
      } else {
        encodeWords(UnsafeBufferPointer(rebasing: text[part.range]), scratch, into: &ids)
      }
    }
  }

  private func encodeWords(_ text: UnsafeBufferPointer<UInt8>, _ scratch: EncodingScratch, into ids: inout [Int32]) {
    preTokenizer.forEachWord(text) { model.encode($0, scratch, into: &ids) }
  }

  // MARK: - Scratch

  /// Hands a scratch from one thread to another: only ever held by one, under the lock or in one call.
  private struct ScratchBox: @unchecked Sendable {
    let scratch: EncodingScratch
  }

  private func withScratch(_ body: (EncodingScratch) -> Void) {
    let box = scratches.withLock { $0.popLast() } ?? ScratchBox(scratch: EncodingScratch())
    body(box.scratch)
    scratches.withLock { $0.append(box) }
  }
}
