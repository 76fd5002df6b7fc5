"""A Trainer of transformers as a stage of Heirloom: parameters in, metrics and progress out, checkpoints that are gone on from, a model.

Knows what is common to TRL's trainers; which of them trains, and on what, is the business of the script that imports this.
"""

import dataclasses
import json
import os
import pathlib
import shutil
import signal
import sys
import time

import torch
from datasets import Dataset
from transformers import AutoTokenizer, TrainerCallback

STOPPED = 75
WEIGHTS = ("*.safetensors", "model.safetensors.index.json", "config.json", "generation_config.json")
# Parameters of the stages that are no arguments of a trainer's configuration.
OWN = {"dtype", "num_processes", "num_threads", "reward_funcs", "training_args"}
LORA = {"use_peft", "lora_r", "lora_alpha", "lora_dropout", "lora_target_modules"}


class Stage:
    """What the stage was asked to do, out of stage.json."""

    def __init__(self):
        with open(os.environ["HEIRLOOM_STAGE"], encoding="utf-8") as file:
            order = json.load(file)
        self.parameters = order["parameters"]
        self.inputs = {given["name"]: [element["path"] for element in given["elements"]] for given in order["inputs"]}
        self.outputs = {wanted["name"]: wanted["path"] for wanted in order["outputs"]}
        self.checkpoints = pathlib.Path(os.environ["HEIRLOOM_CHECKPOINT"])
        self.events = os.environ["HEIRLOOM_EVENTS"]
        torch.set_num_threads(self.parameters["num_threads"])

    @property
    def model(self):
        return self.inputs["model"][0]

    def tokenizer(self):
        tokenizer = AutoTokenizer.from_pretrained(self.model, local_files_only=True)
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        return tokenizer

    def rows(self, name):
        """All records of an input, in order; a suite's records where it is one."""
        for given in self.inputs[name]:
            path = pathlib.Path(given)
            with open(path / "records.jsonl" if path.is_dir() else path, encoding="utf-8") as file:
                for number, line in enumerate(file, 1):
                    try:
                        yield json.loads(line)
                    except json.JSONDecodeError as error:
                        fail(f"{name}, line {number}: {error}")

    def dataset(self, name, shapes, whole=False):
        """The records with the columns of the first of `shapes` that the first record has; all columns where `whole`."""
        rows = list(self.rows(name))
        if not rows:
            fail(f"the input {name} has no record")
        columns = next((shape for shape in shapes if all(column in rows[0] for column in shape)), None)
        if columns is None:
            known = " or ".join(" and ".join(f"'{column}'" for column in shape) for shape in shapes)
            fail(f"{name}, line 1: the record needs {known}, and has {', '.join(rows[0])}")
        for number, row in enumerate(rows, 1):
            for column in columns:
                if column not in row:
                    fail(f"{name}, line {number}: the record has no '{column}', the first one has")
        if whole:
            # Columns whose values have no one type, such as rules of several kinds, would not go into a table as they are.
            others = sorted({column for row in rows for column in row} - set(columns))
            return Dataset.from_list([{c: row[c] for c in columns} | {c: plain(row.get(c)) for c in others} for row in rows])
        return Dataset.from_list([{column: row[column] for column in columns} for row in rows])

    def arguments(self, configuration):
        """The trainer's own configuration: parameters under their own names, and what the stage decides."""
        known = {field.name for field in dataclasses.fields(configuration)}
        extra = self.parameters["training_args"]
        for name in extra:
            if name not in known:
                fail(f"training_args: {configuration.__name__} has no argument '{name}'")
            if name in self.parameters or name in self.fixed:
                fail(f"training_args: '{name}' is a parameter of the stage, or set by it")
        given = {name: value for name, value in self.parameters.items() if name not in OWN | LORA}
        given["max_steps"] = -1 if given["max_steps"] is None else given["max_steps"]
        return configuration(**given, **extra, **self.fixed)

    @property
    def fixed(self):
        return {
            "output_dir": str(self.checkpoints), "save_strategy": "no", "report_to": [], "disable_tqdm": True, "push_to_hub": False,
            "logging_first_step": True, "dataloader_num_workers": 0, "model_init_kwargs": {"dtype": self.parameters["dtype"]},
        }

    def adapter(self):
        """What PEFT is told, where an adapter is trained and not the model."""
        if not self.parameters["use_peft"]:
            return None
        from peft import LoraConfig

        targets = self.parameters["lora_target_modules"]
        return LoraConfig(
            task_type="CAUSAL_LM", r=self.parameters["lora_r"], lora_alpha=self.parameters["lora_alpha"],
            lora_dropout=self.parameters["lora_dropout"], target_modules=targets[0] if targets == ["all-linear"] else targets)

    def train(self, trainer, round_length=1):
        """Trains from the last checkpoint, or from the start, and saves the model; ends the process where the stage was asked to stop.

        `round_length`: steps after which alone a checkpoint may stand, for trainers that carry something from one step into the next.
        """
        watch = Watch(self, trainer, round_length)
        trainer.add_callback(watch)
        trainer.train(resume_from_checkpoint=watch.last())
        if watch.stopped_early:
            if trainer.is_world_process_zero():
                (self.checkpoints / "stopped").touch()
            finish(STOPPED)
        self.save(trainer)

    def save(self, trainer):
        """Weights and configuration as transformers writes them, the tokenizer as it was. No pickle, date or path is among them."""
        target = pathlib.Path(self.outputs["model"])
        scratch = self.checkpoints / "final"
        shutil.rmtree(scratch, ignore_errors=True)
        if self.parameters["use_peft"]:
            if trainer.is_world_process_zero():
                trainer.accelerator.unwrap_model(trainer.model).merge_and_unload().save_pretrained(scratch)
        else:
            trainer.save_model(str(scratch))
        if not trainer.is_world_process_zero():
            return
        target.mkdir(parents=True, exist_ok=True)
        for pattern in WEIGHTS:
            for file in sorted(scratch.glob(pattern)):
                shutil.copyfile(file, target / file.name)
        weights = {path.name for path in target.iterdir()}
        for file in sorted(pathlib.Path(self.model).iterdir()):
            if file.name not in weights and "safetensors" not in file.name and file.is_file():
                shutil.copyfile(file, target / file.name)
        self.describe(target)
        shutil.rmtree(scratch)

    def describe(self, target):
        """The input's own config.json with the type that the weights now have: trainers switch the cache off in theirs, and it stays off."""
        before, after = (json.loads((pathlib.Path(place) / "config.json").read_text()) for place in (self.model, target))
        before.pop("torch_dtype", None)
        before["dtype"] = after.get("dtype", "float32")
        (target / "config.json").write_text(json.dumps(before, indent=2, sort_keys=True) + "\n")
        generation = pathlib.Path(self.model) / "generation_config.json"
        if generation.exists():
            shutil.copyfile(generation, target / "generation_config.json")


class Watch(TrainerCallback):
    """Progress and metrics into Heirloom's events; checkpoints now and then, and one when the stage is asked to stop."""

    def __init__(self, stage, trainer, round_length):
        self.stage, self.trainer, self.round_length = stage, trainer, round_length
        self.asked = self.stopped_early = False
        self.saved = 0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.ask)

    def ask(self, *_):
        self.asked = True

    def last(self):
        """The newest checkpoint that was written to its end; what is half written goes."""
        found = []
        for directory in self.stage.checkpoints.glob("checkpoint-*"):
            if (directory / "complete").exists():
                found.append((int(directory.name.rsplit("-", 1)[1]), str(directory)))
            elif self.trainer.is_world_process_zero():
                shutil.rmtree(directory, ignore_errors=True)
        self.saved, path = max(found, default=(0, None))
        return path

    def on_step_end(self, args, state, control, **_):
        if state.is_world_process_zero:
            self.event(kind="progress", done=state.global_step, of=state.max_steps)
        if state.global_step >= state.max_steps or state.global_step % self.round_length:
            return
        if self.wanted(args):
            control.should_save = control.should_training_stop = self.stopped_early = True
        elif state.global_step - self.saved >= args.save_steps:
            control.should_save = True

    def wanted(self, args):
        """Whether any of the processes was asked to stop: all have to, after the same step."""
        if args.world_size == 1:
            return self.asked
        flag = torch.tensor([int(self.asked)], device=args.device)
        return bool(self.trainer.accelerator.reduce(flag, reduction="sum").item())

    def on_save(self, args, state, control, **_):
        self.saved = state.global_step
        if not state.is_world_process_zero:
            return
        here = self.stage.checkpoints / f"checkpoint-{state.global_step}"
        os.sync()
        (here / "complete").touch()
        for other in self.stage.checkpoints.glob("checkpoint-*"):
            if other != here:
                shutil.rmtree(other, ignore_errors=True)

    def on_log(self, args, state, control, logs=None, **_):
        if not state.is_world_process_zero:
            return
        for name, value in (logs or {}).items():
            if isinstance(value, (int, float)) and not name.startswith("train_") and value == value and abs(value) != float("inf"):
                self.event(kind="metric", step=state.global_step, name=name, value=float(value))

    def event(self, **event):
        line = json.dumps({"t": round(time.time(), 3)} | event) + "\n"
        descriptor = os.open(self.stage.events, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)


def plain(value):
    """A value that a column of a table can hold: what is no text or number becomes its JSON."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def fail(message):
    sys.exit(f"error: {message}")


def finish(status):
    """Ends the process once all have come so far."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
    sys.exit(status)
