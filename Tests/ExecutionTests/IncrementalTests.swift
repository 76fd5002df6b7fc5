import Testing

@Suite("Incremental runs")
struct IncrementalTests {
  static let chain = """
    heirloom: 1
    name: test
    params: {mark: a}
    stages:
      data: {uses: say, with: {text: hello}}
      train: {uses: upper, inputs: {text: data.text}, with: {mark: "${mark}"}}
      scores: {uses: upper, inputs: {text: train.text}}
    """

  @Test("nothing changed, nothing runs; a changed parameter reruns that stage and what hangs on it")
  func parameter() throws {
    try story(Self.chain) {
      Step("first run", expect: .ran("data", "train", "scores"))
      Step("nothing changed", expect: .cached("data", "train", "scores"))
      Step("another mark", set: ["mark=b"], expect: .cached("data").ran("train", "scores"))
      Step("back to the first mark", expect: .cached("data", "train", "scores"))
    }
  }

  @Test("comments, key order, a renamed stage and what affects only speed rerun nothing")
  func sameMeaning() throws {
    try story(Self.chain) {
      Step("first run", expect: .ran("data", "train", "scores"))
      Step("a comment", .replace("stages:", "stages:  # three"), expect: .cached("data", "train", "scores"))
      Step(
        "another order", .replace("{uses: say, with: {text: hello}}", "{with: {text: hello}, uses: say}"),
        expect: .cached("data", "train", "scores"))
      Step("another name", .replace("train", "training"), expect: .cached("data", "training", "scores"))
      Step("a note", .replace("text: hello", "text: hello, note: fast"), expect: .cached("data", "training", "scores"))
    }
  }

  @Test("an upstream rerun with equal bytes stops there")
  func earlyCutoff() throws {
    try story(Self.chain) {
      Step("first run", expect: .ran("data", "train", "scores"))
      Step(
        "another script, same text", .write("stages/say.sh", "echo \"$2\" > \"$1\"\n"), expect: .ran("data").cached("train", "scores"))
      Step(
        "another text", .write("stages/say.sh", "echo \"$2\" you > \"$1\"\n"), expect: .ran("data", "train", "scores"))
      Step("contract version", .replace("version: 1", "version: 2", in: "stages/say.yaml"), expect: .ran("data").cached("train", "scores"))
    }
  }

  @Test("a changed source file reruns what reads it; a touched one does not")
  func sources() throws {
    try story(
      """
      heirloom: 1
      name: test
      stages:
        upper: {uses: upper, inputs: {text: ./in.txt}}
      """
    ) {
      Step("first run", .write("in.txt", "one"), expect: .ran("upper"))
      Step("the same bytes again", .write("in.txt", "one"), expect: .cached("upper"))
      Step("other bytes", .write("in.txt", "two"), expect: .ran("upper"))
    }
  }

  @Test("two recipes and two instances share what they have in common: a key is computed once")
  func sharing() throws {
    let project = try TestProject()
    let manifest = """
      heirloom: 1
      name: test
      stages:
        a: {uses: say, with: {text: same}}
        b: {uses: say, with: {text: same}}
        both: {uses: join, inputs: {texts: [a.text, b.text]}}
      """
    try project.write("recipe.yaml", manifest)
    let happening = try project.run()
    #expect(happening.ran.count == 2 && happening.cached.count == 1 && happening.ran.last == "both")
    #expect(project.output("both", "text") == "same\nsame\n")
    try project.write("recipe.yaml", manifest.replacing("name: test", with: "name: other"))
    #expect(try project.run().cached.count == 3)
  }

  @Test("plan says what would run and why, in whole lines")
  func plan() throws {
    let project = try TestProject()
    try project.write("recipe.yaml", Self.chain)
    #expect(
      try project.plan() == [
        "run     data    never run", "waits   train   input text waits for data.text", "waits   scores  input text waits for train.text",
      ])
    #expect(!project.exists("artifacts"))
    try project.run()
    #expect(try project.plan() == ["cached  data", "cached  train", "cached  scores"])
    #expect(
      try project.plan(sets: ["mark=b"]) == [
        "cached  data", "run     train   mark a -> b", "waits   scores  input text waits for train.text",
      ])
    try project.write("stages/say.sh", "echo \"$2\" > \"$1\"\n")
    #expect(
      try project.plan() == [
        "run     data    source say.sh changed", "waits   train   input text waits for data.text",
        "waits   scores  input text waits for train.text",
      ])
    #expect(
      try project.plan { $0.reruns = ["train"] }.dropFirst() == [
        "waits   train   input text waits for data.text", "waits   scores  input text waits for train.text",
      ])
  }

  @Test("a target runs with what it needs and nothing else; --rerun runs though the result is there")
  func targets() throws {
    let project = try TestProject()
    try project.write("recipe.yaml", Self.chain)
    #expect(try project.run { $0.targets = ["train"] }.ran == ["data", "train"])
    let rerun = try project.run { $0.reruns = ["data"] }
    #expect(rerun.ran == ["data", "scores"])
    #expect(rerun.cached == ["train"])
  }

  @Test("bytes that are gone are made again when somebody needs them, and only then")
  func goneBytes() throws {
    let project = try TestProject()
    try project.write("recipe.yaml", Self.chain)
    try project.run()
    for path in project.files(in: "artifacts/objects") where project.read("artifacts/objects/\(path)") == "hello\n" {
      try project.write("artifacts/gone", "")
      _ = try #require(unlinkFile("\(project.store)/objects/\(path)"))
    }
    #expect(try project.run().cached.count == 3)
    let next = try project.run(sets: ["mark=c"])
    #expect(next.ran.sorted() == ["data", "scores", "train"])
    #expect(project.output("train", "text") == "HELLO\nc")
  }
}
