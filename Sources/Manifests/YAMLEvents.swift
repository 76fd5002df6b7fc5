import CLibYAML
import Diagnostics
import Glibc

/// The events of libyaml's parser as Swift values with locations. The one place that touches libyaml's memory.
final class YAMLEvents {
  enum Event {
    case streamStart
    case documentStart
    case documentEnd
    case streamEnd
    case alias(String)
    case scalar(Scalar, anchor: String?, tag: String?)
    case sequenceStart(anchor: String?, tag: String?)
    case sequenceEnd
    case mappingStart(anchor: String?, tag: String?)
    case mappingEnd
  }

  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let input: UnsafeMutableBufferPointer<UInt8>
  private let source: SourceFile

  /// `source` has been checked: valid UTF-8, no NUL, no control characters.
  init(_ source: SourceFile) {
    self.source = source
    input = .allocate(capacity: max(source.bytes.count, 1))
    _ = input.update(fromContentsOf: source.bytes)
    parser = .allocate(capacity: 1)
    yaml_parser_initialize(parser)
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    let start = Self.start(source)
    yaml_parser_set_input_string(parser, input.baseAddress.map { $0 + start }, source.bytes.count - start)
  }

  /// The first byte of the text behind a byte order mark.
  static func start(_ source: SourceFile) -> Int { source.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0 }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
    input.deallocate()
  }

  func next() throws(Diagnostic) -> (event: Event, location: SourceLocation) {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else { throw YAMLSyntaxError.diagnostic(parser.pointee, source) }
    defer { yaml_event_delete(&event) }
    return (convert(event), location(event))
  }

  private func convert(_ event: yaml_event_t) -> Event {
    switch event.type {
    case YAML_STREAM_START_EVENT: return .streamStart
    case YAML_DOCUMENT_START_EVENT: return .documentStart
    case YAML_DOCUMENT_END_EVENT: return .documentEnd
    case YAML_ALIAS_EVENT: return .alias(Self.text(event.data.alias.anchor) ?? "")
    case YAML_SCALAR_EVENT:
      let data = event.data.scalar
      let text = String(decoding: UnsafeBufferPointer(start: data.value, count: data.length), as: UTF8.self)
      let style: Scalar.Style = data.style == YAML_PLAIN_SCALAR_STYLE ? .plain : .string
      return .scalar(Scalar(text: text, style: style), anchor: Self.text(data.anchor), tag: Self.text(data.tag))
    case YAML_SEQUENCE_START_EVENT:
      return .sequenceStart(anchor: Self.text(event.data.sequence_start.anchor), tag: Self.text(event.data.sequence_start.tag))
    case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
    case YAML_MAPPING_START_EVENT:
      return .mappingStart(anchor: Self.text(event.data.mapping_start.anchor), tag: Self.text(event.data.mapping_start.tag))
    case YAML_MAPPING_END_EVENT: return .mappingEnd
    default: return .streamEnd
    }
  }

  private func location(_ event: yaml_event_t) -> SourceLocation {
    let (start, end) = (event.start_mark, event.end_mark)
    let isScalar = event.type == YAML_SCALAR_EVENT || event.type == YAML_ALIAS_EVENT
    let length = isScalar && start.line == end.line && end.column > start.column ? Int(end.column - start.column) : 1
    return SourceLocation(source: source, line: Int(start.line) + 1, column: Int(start.column) + 1, length: length)
  }

  private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    pointer.map {
      String(
        decoding: UnsafeBufferPointer(start: $0, count: strlen(UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))), as: UTF8.self)
    }
  }
}
