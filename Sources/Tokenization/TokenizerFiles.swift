import Foundation
import JSONValues

/// The names of the files that make a tokenizer in a model directory, and how they are read and written.
package enum TokenizerFiles {
  package static let tokenizer = "tokenizer.json"
  package static let configuration = "tokenizer_config.json"
  package static let specialTokens = "special_tokens_map.json"
  package static let template = "chat_template.jinja"

  static func path(_ name: String, in directory: String) -> String { directory + "/" + name }

  private static let largest = 1 << 28

  /// The bytes of a file; nil when there is none. Opening a pipe would wait for somebody to write to it.
  static func read(_ path: String) throws(TokenizerError) -> [UInt8]? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    guard status.st_mode & S_IFMT == S_IFREG else { throw TokenizerError(file: path, message: "is not a regular file") }
    guard status.st_size <= largest else {
      throw TokenizerError(file: path, message: "is \(status.st_size) bytes long; at most \(largest) are read")
    }
    do {
      return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
      throw TokenizerError(file: path, message: "cannot be read: \(error.localizedDescription)")
    }
  }

  static func readJSON(_ path: String) throws(TokenizerError) -> JSONValue? {
    guard let bytes = try read(path) else { return nil }
    do {
      return try JSONValue(parsing: bytes)
    } catch {
      throw TokenizerError(file: path, message: "no JSON: \(error)")
    }
  }

  /// Writes tokenizer.json, tokenizer_config.json and special_tokens_map.json into a directory that is there.
  package static func write(_ definition: TokenizerDefinition, _ configuration: TokenizerConfiguration, to directory: String)
    throws(TokenizerError)
  {
    try write(definition.json, path(tokenizer, in: directory))
    try write(configuration.json(definition), path(Self.configuration, in: directory))
    try write(configuration.specialTokensMap, path(specialTokens, in: directory))
  }

  private static func write(_ json: JSONValue, _ path: String) throws(TokenizerError) {
    do {
      try Data(json.encodedBytes(pretty: true) + [UInt8(ascii: "\n")]).write(to: URL(fileURLWithPath: path))
    } catch {
      throw TokenizerError(file: path, message: "cannot be written: \(error.localizedDescription)")
    }
  }
}

extension Tokenizer {
  /// The tokenizer of a model directory.
  package static func load(directory: String) throws(TokenizerError) -> Tokenizer {
    try load(file: TokenizerFiles.path(TokenizerFiles.tokenizer, in: directory))
  }

  package static func load(file: String) throws(TokenizerError) -> Tokenizer {
    guard let json = try TokenizerFiles.readJSON(file) else { throw TokenizerError(file: file, message: "there is no such file") }
    do {
      return try Tokenizer(json: json)
    } catch {
      throw error.located(in: file)
    }
  }
}
