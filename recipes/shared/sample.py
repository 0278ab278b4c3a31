"""Greedy samples of a model for the rows of ``egca prepare``, as ``egca eval`` reads them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="a Hugging Face directory, or one of an adapter")
    parser.add_argument("--rows", type=Path, required=True, help="parquet rows of `egca prepare`")
    parser.add_argument("--out", type=Path, required=True, help="JSONL: task_id, completion")
    parser.add_argument("--limit", type=int, default=-1, help="so many of the rows; default: all")
    parser.add_argument("--tokens", type=int, default=768, help="longest completion")
    parser.add_argument("--batch", type=int, default=32)
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with args.out.open("w", encoding="utf-8") as file:
        for task_id, completion in samples(args):
            file.write(json.dumps({"task_id": task_id, "completion": completion}, ensure_ascii=False) + "\n")


def samples(args: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """(task_id, completion) of each row, in their order."""
    import pyarrow.parquet
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer: Any = AutoTokenizer.from_pretrained(args.model, padding_side="left")
    model: Any = AutoModelForCausalLM.from_pretrained(args.model, dtype="auto").to(device).eval()
    rows = pyarrow.parquet.read_table(args.rows, columns=["prompt", "extra_info"]).to_pylist()
    rows = rows[: args.limit] if args.limit >= 0 else rows
    for first in range(0, len(rows), args.batch):
        batch = rows[first : first + args.batch]
        texts = [
            tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, tokenize=False) for row in batch
        ]
        prompts = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False).to(device)
        with torch.inference_mode():
            ids = model.generate(**prompts, do_sample=False, max_new_tokens=args.tokens)
        said = tokenizer.batch_decode(ids[:, prompts.input_ids.shape[1] :], skip_special_tokens=True)
        yield from zip((row["extra_info"]["task_id"] for row in batch), said, strict=True)
        print(f"{first + len(batch)} of {len(rows)} tasks", flush=True)


if __name__ == "__main__":
    main()
