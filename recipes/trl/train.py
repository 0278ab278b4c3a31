"""GRPO with credit on tokens in TRL, for the files of ``egca prepare``. See README.md beside this."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from datasets import load_dataset
from trl import GRPOConfig

from egca_plugin.adapters import smollm2
from egca_plugin.adapters.trl import EgcaGRPOTrainer
from egca_plugin.config import EgcaConfig

GPU = {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 4, "max_completion_length": 512, "bf16": True}
CPU = {"per_device_train_batch_size": 4, "max_completion_length": 96, "use_cpu": True, "bf16": False}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--model", default="", help="path or name; default: SmolLM2-135M-Instruct, from the user's cache"
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="parquet rows of `egca prepare`")
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("EGCA_RUNS", "runs")) / "egca-trl")
    parser.add_argument("--egca", choices=("verified", "paper", "off"), default="verified")
    parser.add_argument("--cpu", action="store_true", help="small batches, no accelerator")
    parser.add_argument("--steps", type=int, default=-1, help="default: one epoch")
    parser.add_argument("--report-to", nargs="*", default=[], help="TRL's trackers, such as tensorboard or wandb")
    args = parser.parse_args()

    rows = load_dataset("parquet", data_files=str(args.data), split="train")
    config = GRPOConfig(
        str(args.out),
        num_generations=4 if args.cpu else 8,
        learning_rate=1e-6,
        num_train_epochs=1,
        max_steps=args.steps,
        logging_steps=1,
        save_strategy="no" if args.cpu else "steps",
        report_to=args.report_to,
        **(CPU if args.cpu else GPU),
    )
    egca = "off" if args.egca == "off" else EgcaConfig(preset=args.egca, records=str(args.out / "records"))
    trainer = EgcaGRPOTrainer(args.model or str(smollm2.prepare()), args=config, train_dataset=rows, egca=egca)
    try:
        trainer.train()
    finally:
        trainer.close()


if __name__ == "__main__":
    main()
