import Foundation

/// libFuzzer calls this with every input; the environment says which parser is meant. `scripts/fuzz` is what to run.
@_cdecl("LLVMFuzzerTestOneInput") public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  let began = processorSeconds()
  chosen.feed(input)
  let seconds = processorSeconds() - began
  precondition(seconds < 10, "\(seconds) s for one input")
  return 0
}

/// What this process has had of the processor: a machine that is busy with other things must not make an input look slow.
private func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

private let chosen: Parser = {
  let name = ProcessInfo.processInfo.environment["HEIRLOOM_FUZZ_PARSER"] ?? ""
  if let parser = Parser.all.first(where: { $0.name == name }) { return parser }
  for parser in Parser.all { print(parser.name, parser.longest) }
  // libFuzzer takes an exit for a finding.
  fflush(nil)
  _exit(name == "list" ? 0 : 2)
}()
