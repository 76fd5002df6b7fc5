"""`trl/grpo`: TRL's GRPOTrainer over prompts and reward functions. What `trl grpo` does, but for data and checkpoints, as in `trl/sft`."""

import importlib.util

import trl.rewards
from heirloom_trainer import Stage, fail
from trl import GRPOConfig, GRPOTrainer


def answer_reward(completions, answer=None, completion=None, **_):
    """1 for a completion that is the record's answer, white space at both ends aside."""
    wanted = answer if answer is not None else completion
    if wanted is None:
        fail("reward_funcs: answer_reward needs records with 'answer' or 'completion'")
    texts = [text if isinstance(text, str) else text[-1]["content"] for text in completions]
    return [float(text.strip() == str(right).strip()) for text, right in zip(texts, wanted)]


def functions(stage):
    """The rewards by their names: of the input `rewards`, of TRL, or the one above."""
    own = None
    if stage.inputs.get("rewards"):
        spec = importlib.util.spec_from_file_location("rewards", stage.inputs["rewards"][0])
        own = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(own)
    found = []
    for name in stage.parameters["reward_funcs"]:
        function = getattr(own, name, None) or getattr(trl.rewards, name, None) or globals().get(name)
        if not callable(function) or not name.endswith(("_reward", "_rewards", "_punishment")) and not hasattr(own, name):
            fail(f"reward_funcs: there is no '{name}' in the input rewards, in trl.rewards, or here (answer_reward)")
        found.append(function)
    return found


def main():
    stage = Stage()
    arguments = stage.arguments(GRPOConfig)
    trainer = GRPOTrainer(
        model=stage.model, reward_funcs=functions(stage), args=arguments, train_dataset=stage.dataset("prompts", [("prompt",)], whole=True),
        processing_class=stage.tokenizer(), peft_config=stage.adapter())
    # Completions are sampled for several steps at once and are not in a checkpoint: it may stand only where new ones are due.
    every = arguments.steps_per_generation * arguments.num_iterations
    accumulation = arguments.gradient_accumulation_steps
    round_length = next(steps for steps in range(1, every + 1) if steps * accumulation % every == 0)
    stage.train(trainer, round_length)


main()
