"""GRPO with credit on tokens in TRL, for the files of ``egca prepare``. See README.md beside this.

Options are those of TRL's GRPOConfig and ModelConfig, the files below, and ``--egca off``, ``--egca.scale conserve``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from datasets import load_dataset
from trl import GRPOConfig, ModelConfig, TrlParser, get_peft_config

from egca_plugin.adapters.settings import split
from egca_plugin.adapters.trl import EgcaGRPOTrainer


@dataclass
class Files:
    """Parquet rows of ``egca prepare``."""

    rows: str = field(metadata={"help": "what is trained on"})
    validation: str | None = field(default=None, metadata={"help": "what eval_strategy looks at"})


def main() -> None:
    egca, options = split(sys.argv[1:])
    files, args, model = TrlParser((Files, GRPOConfig, ModelConfig)).parse_args_and_config(options)
    args.model_init_kwargs = {"dtype": model.dtype}
    validated = args.eval_strategy != "no" and files.validation
    trainer = EgcaGRPOTrainer(
        model.model_name_or_path,
        args=args,
        train_dataset=load_dataset("parquet", data_files=files.rows, split="train"),
        eval_dataset=load_dataset("parquet", data_files=files.validation, split="train") if validated else None,
        peft_config=get_peft_config(model),
        egca=egca,
    )
    try:
        trainer.train(resume_from_checkpoint=args.resume_from_checkpoint)
    finally:
        trainer.close()
    trainer.save_state()  # trainer_state.json has every step's metrics
    trainer.save_model(str(Path(args.output_dir) / "model"))


if __name__ == "__main__":
    main()
