"""Tasks as the rows of a TRL data set. They are the rows that ``egca prepare`` writes for verl, so its files serve too:

load_dataset("parquet", data_files="data/mbpp.parquet", split="train")
"""

from __future__ import annotations

from collections.abc import Iterable

from datasets import Dataset

from egca_plugin.tasks import parquet
from egca_plugin.types import Task


def dataset(tasks: Iterable[Task], *, split: str = "train", instruction: str = "") -> Dataset:
    """One row a task: ``prompt`` as a chat message, and the whole task in ``reward_model``.

    ``instruction`` goes in front of every prompt. For a model without a chat template make the prompt a text:
    ``rows.map(lambda row: {"prompt": row["prompt"][0]["content"]})``.
    """
    return Dataset.from_list(
        [
            parquet.row(task, data_source="egca", split=split, index=index, instruction=instruction)
            for index, task in enumerate(tasks)
        ]
    )
