"""`trl/sft`: TRL's SFTTrainer. What `trl sft` does, but for the data, which come from a stage, and the checkpoints, which Heirloom keeps."""

from heirloom_trainer import Stage
from trl import SFTConfig, SFTTrainer

SHAPES = [("prompt", "completion"), ("messages",), ("text",)]


def main():
    stage = Stage()
    trainer = SFTTrainer(
        model=stage.model, args=stage.arguments(SFTConfig), train_dataset=stage.dataset("data", SHAPES),
        processing_class=stage.tokenizer(), peft_config=stage.adapter())
    stage.train(trainer)


main()
