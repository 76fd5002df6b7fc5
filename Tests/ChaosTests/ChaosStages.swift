/// The command stages that are killed, starved and run beside one another: small programs whose outputs depend on their keys alone. They stop
/// at the first thing that fails (`set -e`, no pipelines): any process that one of them has started may be the one that is killed.
enum ChaosStages {
  /// Path below the project, and text.
  static let files = [
    "stages/chaos/text.yaml": """
    stage: chaos/text
    version: 1
    summary: Writes a text.
    outputs: {text: {type: file}}
    params:
      text: {type: string}
      note: {type: string, default: "", affects: speed}
    run: {command: [sh, "${stage.dir}/text.sh", "${outputs.text}", "${params.text}"], sources: [text.sh]}
    """,
    "stages/chaos/text.sh": "printf '%s\\n' \"$2\" > \"$1\"\n",

    "stages/chaos/steps.yaml": """
    stage: chaos/steps
    version: 1
    summary: Counts, remembers how far it is, and goes on from there.
    outputs: {text: {type: file}}
    params:
      count: {type: integer, min: 1}
      pause: {type: string, default: "0.01", affects: speed}
    checkpoints: true
    run: {command: [sh, "${stage.dir}/steps.sh", "${outputs.text}", "${params.count}", "${params.pause}"], sources: [steps.sh]}
    """,
    "stages/chaos/steps.sh": """
    set -e
    trap 'exit 75' TERM
    cd "$HEIRLOOM_CHECKPOINT"
    n=0
    [ ! -f n ] || n=$(cat n)
    while [ "$n" -lt "$2" ]; do
      n=$((n + 1))
      echo "$n" > n.new
      mv n.new n
      sleep "$3"
    done
    echo "$n steps" > "$1"

    """,

    "stages/chaos/flaky.yaml": """
    stage: chaos/flaky
    version: 1
    summary: Fails the first time it is tried in a work directory.
    outputs: {text: {type: file}}
    checkpoints: true
    run: {command: [sh, "${stage.dir}/flaky.sh", "${outputs.text}"], sources: [flaky.sh]}
    """,
    "stages/chaos/flaky.sh": """
    set -e
    if [ ! -f "$HEIRLOOM_CHECKPOINT/tried" ]; then
      touch "$HEIRLOOM_CHECKPOINT/tried"
      exit 1
    fi
    echo tried > "$1"

    """,

    "stages/chaos/hang.yaml": """
    stage: chaos/hang
    version: 1
    summary: Hangs the first time it is tried in a work directory.
    outputs: {text: {type: file}}
    checkpoints: true
    run: {command: [sh, "${stage.dir}/hang.sh", "${outputs.text}"], sources: [hang.sh]}
    """,
    "stages/chaos/hang.sh": """
    set -e
    if [ ! -f "$HEIRLOOM_CHECKPOINT/tried" ]; then
      touch "$HEIRLOOM_CHECKPOINT/tried"
      while :; do sleep 1; done
    fi
    echo tried > "$1"

    """,

    "stages/chaos/tree.yaml": """
    stage: chaos/tree
    version: 1
    summary: A directory of many files, an empty one and one that is nested among them.
    outputs: {tree: {type: directory}}
    params: {files: {type: integer, min: 1}}
    run: {command: [sh, "${stage.dir}/tree.sh", "${outputs.tree}", "${params.files}"], sources: [tree.sh]}
    """,
    "stages/chaos/tree.sh": """
    set -e
    mkdir -p "$1/below/further" "$1/empty"
    n=0
    while [ "$n" -lt "$2" ]; do
      n=$((n + 1))
      echo "file $n" > "$1/below/$n"
    done
    echo nested > "$1/below/further/nested"

    """,

    "stages/chaos/gather.yaml": """
    stage: chaos/gather
    version: 1
    summary: What lies in directories.
    inputs: {trees: {type: directory, list: true}}
    outputs: {text: {type: file}}
    run: {command: [sh, "${stage.dir}/gather.sh", "${outputs.text}", "${inputs.trees}"], sources: [gather.sh]}
    """,
    "stages/chaos/gather.sh": """
    set -e
    out=$1
    shift
    for tree in "$@"; do
      cd "$tree"
      find -L . > "$HEIRLOOM_CHECKPOINT/list"
      LC_ALL=C sort "$HEIRLOOM_CHECKPOINT/list"
      cat below/1 below/further/nested
    done > "$out"

    """,

    "stages/chaos/join.yaml": """
    stage: chaos/join
    version: 1
    summary: Puts texts behind one another.
    inputs: {texts: {type: file, list: true}}
    outputs: {text: {type: file}}
    run: {command: [sh, "${stage.dir}/join.sh", "${outputs.text}", "${inputs.texts}"], sources: [join.sh]}
    """,
    "stages/chaos/join.sh": """
    set -e
    out=$1
    shift
    cat "$@" > "$out"

    """,
  ]

  /// Ten instances of commands alone, two of them with one key.
  static let commands = """
    heirloom: 1
    name: chaos
    params: {count: 3, pause: "0.005"}
    stages:
      words: {uses: chaos/text, matrix: {word: [alpha, beta, gamma]}, with: {text: "${word}"}}
      twins: {uses: chaos/text, matrix: {note: [a, b]}, with: {text: twin, note: "${note}"}}
      steps: {uses: chaos/steps, with: {count: "${count}", pause: "${pause}"}}
      forest: {uses: chaos/tree, with: {files: 4}}
      listing: {uses: chaos/gather, inputs: {trees: [forest.tree]}}
      source: {uses: chaos/join, inputs: {texts: [./source.txt]}}
      all: {uses: chaos/join, inputs: {texts: ["words[*].text", "twins[*].text", steps.text, listing.text, source.text]}}

    """

  /// Forty instances, native and commands: a matrix, a sequence of trainings that carry a model on, checkpoints, a stage that fails once, two
  /// instances with one key.
  static let mixed = """
    heirloom: 1
    name: chaos
    params: {tasks: [reverse, sort, first], steps: 24}
    stages:
      data:
        uses: data/tasks
        matrix: {task: "${tasks}"}
        with: {task: "${task}", train: 48, heldout: 8, difficulty: 3, alphabet: 6}
      tokenizer:
        uses: tokenizer/train
        inputs: {data: "data[*].train"}
        with: {vocab_size: 262}
      tokens:
        uses: tokenize
        matrix: {task: "${tasks}"}
        inputs: {data: ["data[${task}].train"], tokenizer: tokenizer.tokenizer}
      base:
        uses: model/init
        inputs: {tokenizer: tokenizer.tokenizer}
        with: {hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2, max_position_embeddings: 64}
      sequence:
        scan: {task: "${tasks}"}
        carry: {model: base.model}
        stages:
          trained:
            uses: train/sft
            inputs: {model: carry.model, data: ["tokens[${task}].tokens"]}
            with: {learning_rate: 1.0e-3, max_steps: "${steps}", per_device_train_batch_size: 16, save_steps: 5}
            retries: 1
          averaged:
            uses: average/wise-ft
            inputs: {base: carry.model, tuned: trained.model}
            with: {alpha: 0.75}
          scores:
            uses: evaluate
            matrix: {suite: "${tasks}"}
            inputs: {model: averaged.model, suite: "data[${suite}].heldout"}
        then: {model: averaged.model}
      base_scores:
        uses: evaluate
        matrix: {suite: "${tasks}"}
        inputs: {model: base.model, suite: "data[${suite}].heldout"}
      forgetting:
        uses: report/forgetting
        inputs: {base: "base_scores[*].scores", steps: "sequence[*].scores[*].scores"}
        with: {resamples: 100}
      words: {uses: chaos/text, matrix: {word: [alpha, beta, gamma]}, with: {text: "${word}"}}
      twins: {uses: chaos/text, matrix: {note: [a, b]}, with: {text: twin, note: "${note}"}}
      steps: {uses: chaos/steps, matrix: {count: [8, 20]}, with: {count: "${count}", pause: "0.02"}}
      forest: {uses: chaos/tree, matrix: {files: [3, 40]}, with: {files: "${files}"}}
      flaky: {uses: chaos/flaky, retries: 1}
      listing: {uses: chaos/gather, inputs: {trees: "forest[*].tree"}}
      source: {uses: chaos/join, inputs: {texts: [./source.txt]}}
      all:
        uses: chaos/join
        inputs:
          texts: ["words[*].text", "twins[*].text", "steps[*].text", flaky.text, listing.text, source.text, forgetting.table]

    """
}
