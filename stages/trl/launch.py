"""Starts a trainer: in this process where one is enough, else by `accelerate launch`. launch.py SCRIPT.

Status 75 of a trainer that stopped when asked to would be lost on its way through accelerate, so it leaves a mark as well.
"""

import json
import os
import pathlib
import runpy
import signal
import subprocess
import sys
import time


def main():
    script = sys.argv[1]
    with open(os.environ["HEIRLOOM_STAGE"], encoding="utf-8") as file:
        order = json.load(file)
    os.environ.update(TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1", WANDB_DISABLED="true", PYTHONDONTWRITEBYTECODE="1")
    sys.dont_write_bytecode = True
    configuration = [element["path"] for given in order["inputs"] if given["name"] == "accelerate_config" for element in given["elements"]]
    processes = order["parameters"]["num_processes"]
    if processes == 1 and not configuration:
        sys.path.insert(0, os.path.dirname(script))
        sys.argv = [script]
        runpy.run_path(script, run_name="__main__")
        return
    words = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", str(processes), "--num_machines", "1"]
    if configuration:
        words += ["--config_file", configuration[0]]
    else:
        words += ["--mixed_precision", "no", "--dynamo_backend", "no", "--num_cpu_threads_per_process", str(order["parameters"]["num_threads"])]
        words += ["--multi_gpu"] if os.environ.get("CUDA_VISIBLE_DEVICES") else ["--cpu"]
    sys.exit(follow([*words, script]))


def follow(words):
    """The status of what was started, when all of its processes are gone."""
    mark = pathlib.Path(os.environ["HEIRLOOM_CHECKPOINT"]) / "stopped"
    mark.unlink(missing_ok=True)
    child = subprocess.Popen(words, process_group=0)

    def forward(number, _):
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            pass

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, forward)
    status = child.wait()
    # A launcher that a signal ended leaves its trainers at their checkpoint; what has ended and nobody has asked for counts as living too.
    deadline = time.monotonic() + 9
    while status < 0 and group_lives(child.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    if mark.exists():
        mark.unlink()
        return 75
    return 1 if status else 0


def group_lives(group):
    try:
        os.killpg(group, 0)
        return True
    except ProcessLookupError:
        return False


main()
