import Diagnostics
import JSONValues
import Planning
import Testing

/// Groups, their matrices and scans, and references through them.
struct GroupTests {
  static let head = """
    heirloom: 1
    name: groups
    params: {tasks: [sort, count, reverse], seeds: [1, 2]}
    stages:
      base: {uses: model/import, inputs: {source: ./base}}
      data: {uses: data/tasks, matrix: {task: "${tasks}"}, with: {task: "${task}"}}

    """

  static func graph(_ stages: String) throws -> InstanceGraph { try ExpansionTests.graph(head + stages) }

  /// Where the elements of an input of an instance come from.
  static func sources(_ graph: InstanceGraph, _ instance: String, _ input: String) -> [String]? {
    guard let found = graph.instances.first(where: { $0.name == instance }) else { return nil }
    return found.inputs.first { $0.declaration.name == input }?.elements.map(graph.sourceName)
  }

  static func labels(_ graph: InstanceGraph, _ instance: String, _ input: String) -> [String]? {
    guard let found = graph.instances.first(where: { $0.name == instance }) else { return nil }
    return found.inputs.first { $0.declaration.name == input }?.elements.map { element in
      element.labels.map { "\($0.axis)=\(ValueText.label($0.value))" }.joined(separator: " ")
    }
  }

  static let sequence = """
      rft:
        scan: {task: "${tasks}"}
        carry: {model: base.model}
        stages:
          tokens: {uses: tokenize, inputs: {data: "data[${task}].train", tokenizer: base.tokenizer}}
          train: {uses: train/sft, inputs: {model: carry.model, data: tokens.tokens}, with: {tag: "${task}"}}
          scores:
            uses: evaluate
            matrix: {suite: "${tasks}"}
            inputs: {model: train.model, suite: "data[${suite}].heldout"}
        then: {model: train.model}
      table: {uses: report, inputs: {scores: "rft[*].scores[*].scores"}}
      one: {uses: report, inputs: {scores: "rft[count].scores[suite=sort].scores"}}
      last: {uses: evaluate, inputs: {model: rft.model, suite: "data[sort].heldout"}}
      second: {uses: evaluate, inputs: {model: "rft[count].model", suite: "data[sort].heldout"}}
      again: {uses: evaluate, inputs: {model: "rft[task=count].train.model", suite: "data[sort].heldout"}}
    """

  @Test("a scan makes steps of which each starts from what the step before carried on")
  func scan() throws {
    let graph = try Self.graph(Self.sequence)
    #expect(Self.sources(graph, "rft[sort].train", "model") == ["base.model"])
    #expect(Self.sources(graph, "rft[count].train", "model") == ["rft[sort].train.model"])
    #expect(Self.sources(graph, "rft[reverse].train", "model") == ["rft[count].train.model"])
    #expect(Self.sources(graph, "rft[count].train", "data") == ["rft[count].tokens.tokens"])
    #expect(Self.sources(graph, "rft[count].tokens", "data") == ["data[count].train"])
    #expect(Self.sources(graph, "rft[count].scores[reverse]", "model") == ["rft[count].train.model"])
    #expect(Self.sources(graph, "last", "model") == ["rft[reverse].train.model"])
    #expect(Self.sources(graph, "second", "model") == ["rft[count].train.model"])
    #expect(Self.sources(graph, "again", "model") == ["rft[count].train.model"])
    #expect(Self.sources(graph, "one", "scores") == ["rft[count].scores[sort].scores"])
    #expect(graph.instances.first { $0.name == "rft[count].train" }?.parameters["tag"] == "count")
    #expect(graph.instances.first { $0.name == "rft[count].scores[reverse]" }?.entry == "rft.scores")
  }

  @Test("a wildcard at every level gives everything in declared order, with the axes from the outside in")
  func wildcards() throws {
    let graph = try Self.graph(Self.sequence)
    #expect(
      Self.labels(graph, "table", "scores") == [
        "task=sort suite=sort", "task=sort suite=count", "task=sort suite=reverse", "task=count suite=sort", "task=count suite=count",
        "task=count suite=reverse", "task=reverse suite=sort", "task=reverse suite=count", "task=reverse suite=reverse",
      ])
  }

  @Test("a scan with a matrix is one scan for each of the matrix's points")
  func scanInMatrix() throws {
    let graph = try Self.graph(
      """
        m:
          matrix: {seed: "${seeds}"}
          scan: {task: "${tasks}"}
          carry: {model: base.model}
          stages:
            tokens: {uses: tokenize, inputs: {data: "data[${task}].train", tokenizer: base.tokenizer}}
            train: {uses: train/sft, inputs: {model: carry.model, data: tokens.tokens}, with: {max_steps: "${seed}"}}
            scores: {uses: evaluate, matrix: {suite: "${tasks}"}, inputs: {model: train.model, suite: "data[${suite}].heldout"}}
          then: {model: train.model}
        final: {uses: evaluate, matrix: {seed: "${seeds}"}, inputs: {model: "m[seed=${seed}].model", suite: "data[sort].heldout"}}
        short: {uses: evaluate, matrix: {seed: "${seeds}"}, inputs: {model: "m[${seed}].model", suite: "data[sort].heldout"}}
        some: {uses: report, inputs: {scores: "m[seed=1,task=sort].scores[*].scores"}}
        last: {uses: report, inputs: {scores: "m[*,reverse].scores[sort].scores"}}
        all: {uses: report, inputs: {scores: ["m[seed=2].scores[*].scores", "m[1,count].scores[count].scores"]}}
        joint:
          stages: {tokens: {uses: tokenize, matrix: {task: "${tasks}"}, inputs: {data: "data[${task}].train", tokenizer: base.tokenizer}}}
        merged: {uses: train/sft, inputs: {model: base.model, data: "joint.tokens[*].tokens"}}
      """)
    #expect(Self.sources(graph, "m[2,sort].train", "model") == ["base.model"])
    #expect(Self.sources(graph, "m[2,count].train", "model") == ["m[2,sort].train.model"])
    #expect(Self.sources(graph, "final[1]", "model") == ["m[1,reverse].train.model"])
    #expect(Self.sources(graph, "short[2]", "model") == ["m[2,reverse].train.model"])
    #expect(Self.labels(graph, "some", "scores") == ["sort", "count", "reverse"].map { "seed=1 task=sort suite=\($0)" })
    #expect(Self.labels(graph, "last", "scores") == ["seed=1 task=reverse suite=sort", "seed=2 task=reverse suite=sort"])
    #expect(Self.sources(graph, "all", "scores")?.count == 10)
    #expect(Self.sources(graph, "merged", "data") == ["sort", "count", "reverse"].map { "joint.tokens[\($0)].tokens" })
    #expect(graph.instances.first { $0.name == "m[2,count].train" }?.parameters["max_steps"] == 2)
  }

  @Test("scans nest, and what an inner one starts from can be what the outer one carries")
  func nested() throws {
    let graph = try Self.graph(
      """
        outer:
          scan: {task: [sort, count]}
          carry: {model: base.model}
          stages:
            tokens: {uses: tokenize, inputs: {data: "data[${task}].train", tokenizer: base.tokenizer}}
            inner:
              scan: {rate: [1e-3, 1e-4]}
              carry: {model: carry.model}
              stages:
                train: {uses: train/sft, inputs: {model: carry.model, data: tokens.tokens}, with: {learning_rate: "${rate}"}}
              then: {model: train.model}
          then: {model: inner.model}
        end: {uses: evaluate, inputs: {model: outer.model, suite: "data[sort].heldout"}}
        mid: {uses: evaluate, inputs: {model: "outer[sort].inner[1e-4].train.model", suite: "data[sort].heldout"}}
      """)
    #expect(Self.sources(graph, "outer[sort].inner[0.001].train", "model") == ["base.model"])
    #expect(Self.sources(graph, "outer[count].inner[0.001].train", "model") == ["outer[sort].inner[0.0001].train.model"])
    #expect(Self.sources(graph, "outer[count].inner[0.0001].train", "data") == ["outer[count].tokens.tokens"])
    #expect(Self.sources(graph, "end", "model") == ["outer[count].inner[0.0001].train.model"])
    #expect(Self.sources(graph, "mid", "model") == ["outer[sort].inner[0.0001].train.model"])
  }

  @Test("lists can be carried and grow; a thing can be handed on unchanged, however many steps there are")
  func growing() throws {
    let steps = (0..<3000).map { "t\($0)" }.joined(separator: ", ")
    let graph = try Self.graph(
      """
        before: {uses: evaluate, inputs: {model: far.model, suite: "data[sort].heldout"}}
        replay:
          scan: {task: "${tasks}"}
          carry: {model: base.model, data: [], first: base.model, anchor: null}
          stages:
            tokens: {uses: tokenize, inputs: {data: "data[${task}].train", tokenizer: base.tokenizer}}
            train:
              uses: train/sft
              inputs: {model: carry.model, data: [tokens.tokens, carry.data], anchor: carry.anchor}
          then: {model: train.model, data: [carry.data, tokens.tokens], first: carry.first, anchor: carry.model}
        far:
          scan: {step: [\(steps)]}
          carry: {model: base.model, other: base.model}
          stages: {d: {uses: data/tasks, with: {task: "${step}"}}}
          then: {model: carry.other, other: carry.model}
        end: {uses: evaluate, inputs: {model: replay.first, suite: "data[sort].heldout"}}
      """)
    #expect(
      Self.sources(graph, "replay[reverse].train", "data") == [
        "replay[reverse].tokens.tokens", "replay[sort].tokens.tokens", "replay[count].tokens.tokens",
      ])
    #expect(Self.sources(graph, "replay[sort].train", "anchor") == [])
    #expect(Self.sources(graph, "replay[reverse].train", "anchor") == ["replay[sort].train.model"])
    #expect(Self.sources(graph, "end", "model") == ["base.model"])
    #expect(Self.sources(graph, "before", "model") == ["base.model"])
  }

  @Test("names resolve from the innermost group outwards; a matrix inside may depend on the step")
  func names() throws {
    let graph = try Self.graph(
      """
        seen:
          scan: {step: [{name: first, suites: [sort]}, {name: both, suites: [sort, count]}]}
          stages:
            base: {uses: model/import, inputs: {source: ./base}}
            scores:
              uses: evaluate
              matrix: {suite: "${step.suites}"}
              inputs: {model: base.model, suite: "data[${suite}].heldout"}
            deep:
              stages:
                scores: {uses: evaluate, inputs: {model: base.model, suite: "data[sort].heldout"}}
                table: {uses: report, inputs: {scores: scores.scores}}
        all: {uses: report, inputs: {scores: "seen[*].scores[*].scores"}}
        counts: {uses: report, inputs: {scores: "seen[*].scores[count].scores"}}
        table: {uses: report, inputs: {scores: "seen[first].deep.scores.scores"}}
      """)
    #expect(Self.sources(graph, "seen[both].scores[count]", "model") == ["seen[both].base.model"])
    #expect(Self.sources(graph, "seen[first].deep.table", "scores") == ["seen[first].deep.scores.scores"])
    #expect(
      Self.sources(graph, "all", "scores") == [
        "seen[first].scores[sort].scores", "seen[both].scores[sort].scores", "seen[both].scores[count].scores",
      ])
    #expect(Self.sources(graph, "counts", "scores") == ["seen[both].scores[count].scores"])
    #expect(Self.sources(graph, "table", "scores") == ["seen[first].deep.scores.scores"])
  }

  @Test("the order of a matrix can be the order of a scan")
  func orders() throws {
    let graph = try Self.graph(
      """
        m:
          matrix: {order: [{name: up, tasks: [sort, count]}, {name: down, tasks: [count, sort]}], include: [{extra: 7}]}
          scan: {task: "${order.tasks}"}
          carry: {model: base.model}
          stages:
            tokens: {uses: tokenize, inputs: {data: "data[${task}].train", tokenizer: base.tokenizer}}
            train: {uses: train/sft, inputs: {model: carry.model, data: tokens.tokens}, with: {max_steps: "${extra}"}}
          then: {model: train.model}
        end: {uses: evaluate, matrix: {order: [up, down]}, inputs: {model: "m[${order}].model", suite: "data[sort].heldout"}}
      """)
    #expect(Self.sources(graph, "m[down,sort].train", "model") == ["m[down,count].train.model"])
    #expect(Self.sources(graph, "end[up]", "model") == ["m[up,count].train.model"])
    #expect(Self.sources(graph, "end[down]", "model") == ["m[down,sort].train.model"])
    #expect(graph.instances.first { $0.name == "m[up,sort].train" }?.parameters["max_steps"] == 7)
  }

  @Test("a target is a group, a group at a point, or a stage in groups")
  func targets() throws {
    let graph = try Self.graph(Self.sequence)
    func names(_ target: String) throws -> [String] { try graph.instances(named: target).map { graph.instances[$0].name }.sorted() }
    #expect(try names("rft").count == 15)
    #expect(try names("rft[sort]").count == 5)
    #expect(try names("rft.train") == ["rft[count].train", "rft[reverse].train", "rft[sort].train"])
    #expect(try names("rft[*].train").count == 3)
    #expect(try names("rft[task=sort].train") == ["rft[sort].train"])
    #expect(try names("rft[*].scores[suite=sort]").count == 3)
    #expect(try names("rft.scores[sort]").count == 3)
    do {
      _ = try names("rft[srt].train")
    } catch {
      #expect((error as? Diagnostic)?.text == "the recipe has no instance 'rft[srt].train'; did you mean 'rft[sort].train'?")
    }
  }

  @Test("the same stages have the same keys in a group, in another, or outside")
  func sharing() throws {
    let chain = """
        tokens: {uses: tokenize, inputs: {data: "data[sort].train", tokenizer: base.tokenizer}}
        train: {uses: train/sft, inputs: {model: base.model, data: tokens.tokens}}

      """
    let inside = chain.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n")
    let graph = try Self.graph(chain + "  g:\n    stages:\n" + inside + "\n  h:\n    matrix: {x: [1]}\n    stages:\n" + inside)
    let keys = zip(graph.instances, Project.keys(graph))
    let train = keys.filter { $0.0.entry.hasSuffix("train") }
    #expect(train.map(\.0.name) == ["train", "g.train", "h[1].train"])
    #expect(Set(train.map(\.1)).count == 1)
  }
}
