"""A policy small enough for a test and real enough for verl: a two-layer Llama with a byte-level BPE of its own.

It is taught, on the spot, to answer each task with a right, a wrong and a broken program, so that one training step
sees every mode and non-zero advantages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from egca_plugin.tasks import parquet
from egca_plugin.types import Task


@dataclass(frozen=True, slots=True)
class Tiny:
    """What :func:`build` and :func:`write_rows` wrote."""

    model: Path
    train: Path
    val: Path


EOS, PAD, START = "<|im_end|>", "<|pad|>", "<|im_start|>"
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def _task(name: str, right: str, tests: tuple[str, ...]) -> Task:
    return Task(f"tiny/{name}", f"Write {name}(x).", name, f"def {name}(x):\n    {right}\n", tests)


TASKS = (
    _task("double", "y = x * 2\n    return y", ("assert double(3) == 6", "assert double(0) == 0")),
    _task("succ", "y = x + 1\n    return y", ("assert succ(3) == 4", "assert succ(0) == 1")),
    _task("square", "y = x * x\n    return y", ("assert square(3) == 9", "assert square(-1) == 1")),
    _task("negate", "y = 0 - x\n    return y", ("assert negate(3) == -3", "assert negate(-1) == 1")),
)


def answers(task: Task) -> tuple[str, ...]:
    """Right, wrong in one statement, raising, broken: as a model says them, in a fence."""
    right = task.reference
    first, second, third = right.splitlines()[:3]
    wrong = f"{first}\n{second} + 5\n{third}\n"
    raising = f"{first}\n{second} + undefined\n{third}\n"
    broken = f"{first}\n{second} +\n{third}\n"
    return tuple(f"```python\n{program}```" for program in (right, wrong, raising, broken))


def build(folder: Path, *, steps: int = 250, seed: int = 0) -> Path:
    """Write a Hugging Face model directory; about ten seconds on one core."""
    tokenizer = _tokenizer()
    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=512,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    _teach(model, tokenizer, steps)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def otherwise(task: Task) -> Task:
    """The task with a reference of another structure than anything that the policy writes."""
    _, expression = task.reference.splitlines()[1].split(" = ")
    name = task.entry_point
    loop = f"results = []\n    for x in [x]:\n        results.append({expression})\n    return results[0]"
    return replace(task, reference=f"def {name}(x):\n    {loop}\n")


def write_rows(folder: Path) -> tuple[Path, Path]:
    """(train, val) parquet files of the tasks, in verl's columns, with references unlike the policy's programs."""
    paths = (folder / "train.parquet", folder / "val.parquet")
    for path, split in zip(paths, ("train", "val"), strict=True):
        rows = [
            parquet.row(t, data_source="egca/tiny", split=split, index=k) for k, t in enumerate(map(otherwise, TASKS))
        ]
        parquet.write(rows, path)
    return paths


def _tokenizer() -> PreTrainedTokenizerFast:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    corpus = [text for task in TASKS for text in (task.prompt, *answers(task))] + ["user\n", "assistant\n"]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=[EOS, PAD, START],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(corpus, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token=EOS, pad_token=PAD)
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def _teach(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, steps: int) -> None:
    pairs = []
    for task in TASKS:
        prompt = tokenizer.apply_chat_template(
            [{"role": "user", "content": task.prompt}], add_generation_prompt=True, tokenize=False
        )
        pairs += [(prompt, answer + EOS) for answer in answers(task)]
    rows = [
        (tokenizer(prompt, add_special_tokens=False).input_ids, tokenizer(text, add_special_tokens=False).input_ids)
        for prompt, text in pairs
    ]
    width = max(len(prompt) + len(answer) for prompt, answer in rows)
    ids = torch.full((len(rows), width), tokenizer.pad_token_id)
    labels = torch.full((len(rows), width), -100)
    for k, (prompt, answer) in enumerate(rows):
        ids[k, : len(prompt) + len(answer)] = torch.tensor(prompt + answer)
        labels[k, len(prompt) : len(prompt) + len(answer)] = torch.tensor(answer)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(steps):
        loss = model(
            input_ids=ids, attention_mask=(labels.ne(-100) | ids.ne(tokenizer.pad_token_id)), labels=labels
        ).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
