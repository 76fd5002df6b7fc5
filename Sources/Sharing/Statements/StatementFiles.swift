import Artifacts

/// Statements as files: signed ones in envelopes (`….dsse.json`), others as they are (`….statement.json`).
package enum StatementFiles {
  /// Writes them into a directory, over earlier ones of the same names; the paths are handed back in order.
  package static func write(
    _ statements: [(name: String, statement: Statement)], into directory: String, signedBy key: SigningKey?, files: FileSystem = .posix
  ) throws -> [String] {
    try files.makeDirectory(directory)
    return try statements.map { name, statement in
      let path = "\(directory)/\(name)" + (key == nil ? ".statement.json" : ".dsse.json")
      let bytes = try key.map { try Envelope(statement, signedBy: $0).bytes } ?? statement.bytes + [0x0A]
      let temporary = path + ArchiveExport.temporarySuffix()
      try files.write(bytes, to: temporary, .lasting)
      try files.rename(temporary, to: path)
      return path
    }
  }

  package static func read(_ path: String, limit: Int = Statement.mostBytes, files: FileSystem = .posix) throws -> [UInt8] {
    guard let status = try files.status(path) else { throw SharingError("no such file", at: path) }
    guard status.kind == .file, status.size <= limit, let bytes = try files.read(path) else {
      throw SharingError("is no file of at most \(limit) bytes", at: path)
    }
    return bytes
  }
}
