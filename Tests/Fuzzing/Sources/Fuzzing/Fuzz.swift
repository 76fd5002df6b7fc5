import Foundation

/// libFuzzer calls this with every input; the environment says which parser is meant. `scripts/fuzz` is what to run.
@_cdecl("LLVMFuzzerTestOneInput") public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  chosen.feed(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}

private let chosen: Parser = {
  let name = ProcessInfo.processInfo.environment["HEIRLOOM_FUZZ_PARSER"] ?? ""
  if let parser = Parser.all.first(where: { $0.name == name }) { return parser }
  for parser in Parser.all { print(parser.name, parser.longest) }
  // libFuzzer takes an exit for a finding.
  fflush(nil)
  _exit(name == "list" ? 0 : 2)
}()
