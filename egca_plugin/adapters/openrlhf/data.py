"""OpenRLHF's data sets before the first step: what their rows are, and who scores those that are no code."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from egca_plugin.adapters.data import borne
from egca_plugin.errors import TaskError
from egca_plugin.tasks.rows import survey

AGENT = Path(__file__).with_name("agent.py")  # the executor where the command line names none; it rewards nothing


def check(args: argparse.Namespace, train: Any, evaluation: Any) -> None:
    """Read every row of OpenRLHF's two data loaders, the second of which may be None.

    Raises TaskError for more than the share ``egca.bad_rows`` of bad rows, and for rows that nobody would reward.
    """
    for setting, loader in (("--data.prompt_dataset", train), ("--eval.dataset", evaluation)):
        if loader is None:
            continue
        found = borne(setting, survey(_rows(loader.dataset), setting), args.egca.egca.bad_rows)
        if found.others and Path(args.train.agent_func_path) == AGENT:
            example = next(iter(found.examples.values()))
            raise TaskError(
                f"{setting}: {sum(found.others.values())} of {found.rows} rows have no tests that EGCA can read (such "
                f"as {example!r:.60}), and nothing else rewards them. Leave them out, or name an executor that does: "
                "--train.agent_func_path"
            )


def _rows(dataset: Any) -> Iterator[Mapping[str, Any]]:
    """OpenRLHF keeps of a row its prompt, templated, and the label column."""
    for index, (prompt, label) in enumerate(zip(dataset.prompts, dataset.labels, strict=True)):
        yield {"prompt": prompt, "reward_model": label, "extra_info": {"index": index}}
