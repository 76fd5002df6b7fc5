import Foundation
import JSONValues
import Testing
import Tokenization

@Suite("Chat templates")
struct ChatTemplateTests {
  private static let tokens = TokenizerConfiguration(bosToken: "<s>", eosToken: "</s>")

  private static func messages(_ json: JSONValue?) -> [ChatMessage] {
    (json?.arrayValue ?? []).map { ChatMessage(role: $0["role"]?.stringValue ?? "", content: $0["content"]?.stringValue ?? "") }
  }

  @Test("every template renders what transformers renders")
  func goldens() throws {
    let json = try Fixtures.json("chat-templates.json")
    var templates: [String: ChatTemplate] = [:]
    for row in json["templates"]?.arrayValue ?? [] {
      templates[row["name"]?.stringValue ?? ""] = try ChatTemplate(source: row["template"]?.stringValue ?? "", tokens: Self.tokens)
    }
    let cases = json["cases"]?.arrayValue ?? []
    #expect(templates.count == 8 && cases.count == 48)
    for row in cases {
      let name = row["template"]?.stringValue ?? ""
      let template = try #require(templates[name])
      let prompt = row["add_generation_prompt"] == true
      let text = try template.render(messages: Self.messages(row["messages"]), addGenerationPrompt: prompt)
      #expect(Array(text.utf8) == Array((row["text"]?.stringValue ?? "").utf8), "\(name): \(row["messages"]?.encoded() ?? "")")
    }
  }

  @Test("our own ChatML template is ChatML")
  func chatML() throws {
    let template = try ChatTemplate(source: ChatTemplate.chatML)
    let text = try template.render(messages: [ChatMessage(role: "user", content: " hi\n")], addGenerationPrompt: true)
    #expect(text == "<|im_start|>user\n hi\n<|im_end|>\n<|im_start|>assistant\n")
  }

  @Test(
    "what is not supported is refused by line",
    arguments: [
      ("a\n{% macro f() %}{% endmacro %}", 2, "'macro' is not supported; for, if, set, break, continue and generation are"),
      ("{{ x | sort }}", 1, "filter 'sort' is not supported"), ("\n\n{{ x is odder }}", 3, "test 'odder' is not supported"),
      ("{% if x %}", 1, "'endif' is missing at the end"), ("{{ 'x }}", 1, "the string does not end"), ("{{ x", 1, "the tag does not end"),
      ("{{ 1 2 }}", 1, "there is more in the tag than it can take"), ("{# x", 1, "the comment does not end"),
      ("{{ x ? }}", 1, "'?' is no part of a template"), ("{{ }}", 1, "an expression is missing"),
    ])
  func refused(source: String, line: Int, message: String) {
    #expect(throws: TokenizerError(file: "t.jinja", path: "chat template, line \(line)", message: message)) {
      _ = try ChatTemplate(source: source, file: "t.jinja")
    }
  }

  @Test(
    "what goes wrong while rendering is told by line",
    arguments: [
      ("{{ raise_exception('roles must alternate') }}", 1, "roles must alternate"),
      ("\n{{ a.b.c }}", 2, "an undefined value has no members"),
      ("{{ strftime_now('%d') }}", 1, "strftime_now is not supported: the same messages must give the same text every day"),
      ("{{ messages }}", 1, "a list cannot be written into the text"), ("{{ 1 // 0 }}", 1, "'//' cannot join an integer and an integer"),
      ("{{ 'a'.title() }}", 1, "a string has no method 'title' that takes these arguments"),
    ])
  func failing(source: String, line: Int, message: String) throws {
    let template = try ChatTemplate(source: source)
    #expect(throws: TokenizerError(path: "chat template, line \(line)", message: message)) {
      _ = try template.render(messages: [], addGenerationPrompt: false)
    }
  }

  @Test("a template of more than a megabyte is none") func length() {
    #expect(throws: TokenizerError(file: "t.jinja", path: "chat template", message: "has more than 1048576 bytes")) {
      _ = try ChatTemplate(source: String(repeating: "a", count: (1 << 20) + 1), file: "t.jinja")
    }
  }

  @Test("chat_template.jinja wins over the inline template, with a warning when they differ")
  func precedence() throws {
    let directory = NSTemporaryDirectory() + "heirloom-template-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    #expect(try ChatTemplate.load(directory: directory) == nil)

    try Data(#"{"chat_template": "inline {{ eos_token }}", "eos_token": {"content": "</s>"}}"#.utf8)
      .write(to: URL(fileURLWithPath: directory + "/tokenizer_config.json"))
    let inline = try #require(try ChatTemplate.load(directory: directory))
    #expect(try inline.render(messages: [], addGenerationPrompt: false) == "inline </s>")
    #expect(inline.warning == nil)

    try Data("file".utf8).write(to: URL(fileURLWithPath: directory + "/chat_template.jinja"))
    let file = try #require(try ChatTemplate.load(directory: directory))
    #expect(try file.render(messages: [], addGenerationPrompt: false) == "file")
    #expect(file.warning == "\(directory)/chat_template.jinja is used; the template in \(directory)/tokenizer_config.json is another one")
  }
}
