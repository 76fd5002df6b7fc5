"""`evaluate/lm-eval`: asks a model one task of lm-evaluation-harness and writes what came of it as Heirloom's scores.

The numbers are lm-eval's own. What is written names no date, path or host.
"""

import hashlib
import json
import math
import os
import pathlib
import shutil
import sys
import tempfile
import time

WORKED = "tasks"


def main():
    with open(os.environ["HEIRLOOM_STAGE"], encoding="utf-8") as file:
        order = json.load(file)
    parameters = order["parameters"]
    inputs = {given["name"]: [element["path"] for element in given["elements"]] for given in order["inputs"]}
    outputs = {wanted["name"]: pathlib.Path(wanted["path"]) for wanted in order["outputs"]}
    os.environ.update(TOKENIZERS_PARALLELISM="false")
    sys.dont_write_bytecode = True
    borrow_cache()
    local = tasks_directory(inputs)
    results = evaluate(parameters, inputs["model"][0], local)
    names = [name for name in results["samples"]]
    if not names:
        fail(f"task: '{parameters['task']}' has no task with documents")
    report = Report(parameters, results, names)
    write(outputs["scores"], report.scores())
    write(outputs["results"], report.results())
    with open(outputs["samples"], "w", encoding="utf-8") as file:
        for row in report.samples():
            file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
    event(kind="metric", step=0, name=report.headline, value=report.value(report.headline))


def borrow_cache():
    """A cache of this stage's own with what the user's holds: a stage may read that one and not write into it, and the libraries lock and
    write even where all is there. Before they are imported, for then they look where it is."""
    theirs = pathlib.Path(os.environ.get("HF_HOME") or "~/.cache/huggingface").expanduser()
    own = pathlib.Path(tempfile.mkdtemp(prefix="huggingface-"))
    for folder in ("hub", "datasets"):
        (own / folder).mkdir()
        for entry in (theirs / folder).glob("*"):
            if entry.is_dir() and not entry.name.startswith("."):
                link(own / folder / entry.name, entry, levels=3 if folder == "datasets" else 0)
    if (theirs / "token").is_file():
        (own / "token").symlink_to(theirs / "token")
    for name in ("HF_HUB_CACHE", "HF_DATASETS_CACHE", "HF_MODULES_CACHE"):
        os.environ.pop(name, None)
    os.environ["HF_HOME"] = str(own)


def link(place, target, levels):
    """`levels` of directories are made anew, so that others may come beside what they hold: data sets are locked at each of them."""
    if levels == 0 or not target.is_dir():
        place.symlink_to(target)
        return
    place.mkdir()
    for entry in target.iterdir():
        if not entry.name.endswith((".lock", ".incomplete")):
            link(place / entry.name, entry, levels - 1)


def tasks_directory(inputs):
    """Local tasks with the records beside them, as the working directory: the data that they name is relative to it."""
    if not inputs.get("tasks"):
        if inputs.get("records"):
            fail("the input records needs the input tasks: a task's YAML says what is asked of them")
        return None
    local = pathlib.Path(WORKED).resolve()
    shutil.rmtree(local, ignore_errors=True)
    shutil.copytree(inputs["tasks"][0], local)
    for path in inputs.get("records", []):
        path = pathlib.Path(path)
        shutil.copyfile(path / "records.jsonl" if path.is_dir() else path, local / "records.jsonl")
    os.chdir(local)
    return str(local)


def evaluate(parameters, model, local):
    import datasets
    import torch
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    # What it computes from a data set it would write beside it.
    datasets.disable_caching()
    torch.set_num_threads(parameters["num_threads"])
    torch.use_deterministic_algorithms(True, warn_only=True)
    manager = TaskManager(include_path=local)
    if parameters["task"] not in manager.all_tasks:
        fail(f"task: lm-eval has no '{parameters['task']}', and neither have the local tasks")
    seed = parameters["seed"]
    results = simple_evaluate(
        model=parameters["backend"], model_args={"pretrained": model} | parameters["model_args"], tasks=[parameters["task"]],
        num_fewshot=parameters["num_fewshot"], limit=parameters["limit"], batch_size=parameters["batch_size"], task_manager=manager,
        device="cuda:0" if torch.cuda.is_available() else "cpu", bootstrap_iters=parameters["bootstrap_iters"], log_samples=True,
        system_instruction=parameters["system_instruction"], apply_chat_template=parameters["apply_chat_template"],
        fewshot_as_multiturn=parameters["fewshot_as_multiturn"], gen_kwargs=parameters["gen_kwargs"] or None,
        random_seed=seed, numpy_random_seed=seed, torch_random_seed=seed, fewshot_random_seed=seed,
        confirm_run_unsafe_code=parameters["confirm_run_unsafe_code"])
    if results is None:
        sys.exit(0)  # not the first of several processes
    return results


class Report:
    """lm-eval's results as Heirloom keeps them."""

    def __init__(self, parameters, results, names):
        self.parameters, self.raw, self.names = parameters, results, names
        self.task = parameters["task"]
        table = results["results"].get(self.task)
        # A tag has no numbers of its own; of one task they are its own.
        self.table = table if table is not None and self.metrics_of(table) else results["results"][names[0]] if len(names) == 1 else {}
        if not self.metrics_of(self.table):
            fail(f"task: '{self.task}' stands for {len(names)} tasks and lm-eval joins no metric of them; ask for one: {', '.join(names[:8])}")
        self.headline = self.chosen()

    @staticmethod
    def metrics_of(table):
        """`acc,none` -> key in the table, in its order, where the value is a number."""
        return {
            key.removesuffix(",none"): key for key, value in table.items()
            if "," in key and "_stderr," not in key and isinstance(value, (int, float)) and math.isfinite(value)
        }

    def chosen(self):
        known = self.metrics_of(self.table)
        name = self.parameters["metric"]
        if name is None:
            whole = [metric for metric in known if self.per_document(metric) is not None]
            if not whole:
                fail(f"task: no metric of '{self.task}' has a number for each document: {', '.join(known)}")
            return whole[0]
        name = name.removesuffix(",none")
        if name not in known:
            fail(f"metric: '{self.task}' has no '{name}'; it has {', '.join(known)}")
        if self.per_document(name) is None:
            fail(f"metric: '{name}' has no number for each document, so it cannot be compared in pairs; take another of {', '.join(known)}")
        return name

    def value(self, metric):
        return float(self.table[self.metrics_of(self.table)[metric]])

    def error(self, metric):
        name, _, kind = self.metrics_of(self.table)[metric].partition(",")
        value = self.table.get(f"{name}_stderr,{kind}")
        return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None

    def rows(self, kind):
        """The documents' samples under a filter, in one order whatever the batches were."""
        return [row for name in self.names for row in sorted(self.raw["samples"][name], key=lambda row: row["doc_id"]) if row["filter"] == kind]

    def per_document(self, metric):
        """Each document's number, where it has one."""
        name, _, kind = self.metrics_of(self.table)[metric].partition(",")
        values = [number(row.get(name), name) for row in self.rows(kind)]
        return None if not values or any(value is None for value in values) else values

    def higher_is_better(self):
        name = self.headline.partition(",")[0]
        found = [self.raw["higher_is_better"].get(task, {}).get(name) for task in [self.task, *self.names]]
        return next((value for value in found if value is not None), True)

    def kind(self):
        outputs = {self.raw["configs"].get(name, {}).get("output_type") for name in self.names}
        return {"multiple_choice": "multiple_choice", "generate_until": "generation"}.get(outputs.pop() if len(outputs) == 1 else None, "lm-eval")

    def scores(self):
        documents = {metric: self.per_document(metric) for metric in self.metrics_of(self.table)}
        count = len(documents[self.headline])
        identity = hashlib.sha256()
        for row in self.rows(self.metrics_of(self.table)[self.headline].partition(",")[2]):
            for name in ("doc_hash", "prompt_hash", "target_hash"):
                identity.update(row[name].encode())
        return {
            "suite": self.task, "kind": self.kind(), "metric": self.headline, "higher_is_better": self.higher_is_better(), "n": count,
            "metrics": {metric: {"value": self.value(metric), "stderr": self.error(metric)} for metric in documents},
            "best_constant": None, "records": identity.hexdigest()[:16],
            "per_record": {metric: values for metric, values in documents.items() if values is not None and len(values) == count},
            "harness": "lm-eval",
        }

    def results(self):
        kept = {name: self.raw.get(name) for name in ("results", "groups", "group_subtasks", "versions", "n-shot", "higher_is_better", "n-samples")}
        kept["configs"] = {name: without_paths(self.raw["configs"][name]) for name in self.names}
        kept["task_hashes"] = self.raw.get("task_hashes")
        kept["chat_template_sha"] = self.raw.get("chat_template_sha")
        return kept

    def samples(self):
        for name in self.names:
            for row in sorted(self.raw["samples"][name], key=lambda row: (row["filter"], row["doc_id"])):
                yield {"task": name} | row


def number(value, name):
    if isinstance(value, (bool, int, float)) and math.isfinite(value):
        return float(value) if not float(value).is_integer() else int(value)
    # lm-eval keeps (sum of log p, weight) for these, and their total is no mean of documents.
    if name == "bits_per_byte" and isinstance(value, (tuple, list)) and len(value) == 2 and value[1]:
        return -value[0] / (value[1] * math.log(2))
    return None


def without_paths(configuration):
    """A task's configuration without where things lie on this machine."""
    kept = {name: value for name, value in configuration.items() if name not in ("metadata", "include_path")}
    return json.loads(json.dumps(kept, default=lambda value: getattr(value, "__name__", type(value).__name__)))


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, sort_keys=False, allow_nan=False) + "\n", encoding="utf-8")


def event(**event):
    with open(os.environ["HEIRLOOM_EVENTS"], "a", encoding="utf-8") as file:
        file.write(json.dumps({"t": round(time.time(), 3)} | event) + "\n")


def fail(message):
    sys.exit(f"error: {message}")


if __name__ == "__main__":
    main()
