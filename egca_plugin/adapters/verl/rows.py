"""verl's data sets: what their rows are, who scores those that are no code, and which rows are validation."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from egca_plugin.adapters.data import look_through
from egca_plugin.adapters.samples import Ticket
from egca_plugin.adapters.verl import channel
from egca_plugin.errors import ConfigError, TaskError
from egca_plugin.tasks.rows import COLUMNS

logger = logging.getLogger(__name__)

VALIDATION = "egca_validation"  # column of the rows that nothing is learnt from
KEY = "egca_key"  # column with TransferQueue's key, where verl's reward loop does not say which sample it is


def check_datasets(config: DictConfig, train: Any, val: Any, bad_rows: float) -> None:
    """Read every row of verl's two data sets before the first step, and say what they are.

    Raises TaskError where more than the share ``bad_rows`` of one cannot be read, or where nobody would score rows that
    are no code, ConfigError where a reward function was named that no row would ask.
    """
    custom = OmegaConf.select(config, "reward.custom_reward_function.path")
    others: Counter[str] = Counter()
    for setting, dataset in (("data.train_files", train), ("data.val_files", val)):
        _check_columns(setting, dataset.dataframe)
        found = look_through(setting, dataset.dataframe, bad_rows)
        for source, example in found.examples.items():
            if not custom:
                check_scorer(setting, source, example, found.others[source])
        others += found.others
    if others:
        scorer = f"reward.custom_reward_function ({custom})" if custom else "verl's own scorer"
        logger.warning("egca: rows of %s are no code: %s rewards them, plain GRPO", ", ".join(sorted(others)), scorer)
    manager = config.reward.reward_manager
    reward_model = OmegaConf.select(config, "reward.reward_model.enable")
    if custom and not others and manager.source == "register" and not reward_model:
        raise ConfigError(
            f"reward.custom_reward_function.path: got {custom}, which would never be called: every row is code, and "
            "its tests are its reward. Leave the function out; to add to that reward, name a subclass of "
            "EgcaRewardManager by reward.reward_manager.source=importlib"
        )


def _check_columns(setting: str, dataframe: Any) -> None:
    taken = sorted(set(dataframe.column_names) & {*channel.COLUMNS, VALIDATION, KEY})
    if taken:
        raise TaskError(
            f"{setting}: the column {', '.join(taken)} has a name that EGCA uses for what it says of a sample, which "
            "would overwrite it; rename the column"
        )


def check_scorer(setting: str, source: str, example: Any, count: int) -> None:
    """Does verl's own scorer know rows of the data source ``source``? Raises TaskError where it does not."""
    from verl.utils.reward_score import default_compute_score

    try:
        default_compute_score(source, "", example)
    except (NotImplementedError, ImportError) as error:
        raise TaskError(
            f"{setting}: {count} rows of data_source {source!r} have no tests that EGCA can read (ground_truth: "
            f"{example!r:.60}), and verl's own scorer cannot score them ({error}). Set "
            "reward.custom_reward_function.path to one that can, or leave the rows out"
        ) from error
    except Exception as error:  # noqa: BLE001 - the boundary to verl's scorers: an empty answer may upset one
        logger.debug("egca: verl's scorer for %s: %s on an empty answer", source, type(error).__name__)


def columns_of(train: Any, val: Any) -> list[str]:
    """Columns in which a row's task may lie, as far as both data sets have them; verl hands the prompt on itself."""
    shared = set(train.dataframe.column_names) & set(val.dataframe.column_names)
    return [name for name in COLUMNS if name in shared and name != "prompt"]


def ticket_of(columns: Mapping[str, Any]) -> Ticket | None:
    """The ticket, still for nowhere, of a sample that is learnt from; None where no column says which one it is.

    verl says it with ``uid`` and ``session_id`` (agent_loop_tq.py:163), whose key is ``{uid}_{session}_{output}``.
    """
    if columns.get(VALIDATION, False):
        return None
    if columns.get("session_id") is not None and columns.get("uid") is not None:
        return Ticket("", str(columns["uid"]), int(columns["session_id"]))
    if columns.get(KEY) is not None:
        uid, session, _ = str(columns[KEY]).rsplit("_", 2)
        return Ticket("", uid, int(session))
    return None


def step_of(columns: Mapping[str, Any]) -> int | None:
    """The training step for which a row was sampled."""
    step = columns.get("global_steps")
    return None if step is None else int(step)


def mark_validation(dataset: Any) -> None:
    """Put a mark on the rows of verl's validation data set, which a reward manager sees; verl itself tells it nothing.

    Its ``validate`` flag ends in the agent loop (agent_loop_tq.py:61), and the data's own ``split`` is only a name.
    """
    dataset.dataframe = dataset.dataframe.add_column(VALIDATION, [True] * len(dataset.dataframe))
