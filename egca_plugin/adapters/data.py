"""A data set before the first step: every row is read, what the rows are is said, and a few bad ones are borne."""

from __future__ import annotations

import logging
from typing import Any

from egca_plugin.errors import TaskError
from egca_plugin.tasks.rows import Survey, of_dataset, survey

logger = logging.getLogger(__name__)

NAMED = 8  # bad rows that are named


def look_through(setting: str, dataframe: Any, bad_rows: float) -> Survey:
    """What the rows of a ``datasets.Dataset`` are; bad ones are named in the log.

    ``setting`` names the data set. Raises TaskError where it has no column for tests, and where more than the share
    ``bad_rows`` of its rows cannot be read.
    """
    if "reward_model" not in dataframe.column_names:
        raise TaskError(
            f"{setting}: the rows have no column reward_model (got {', '.join(dataframe.column_names)}); "
            "write the files with `egca prepare`"
        )
    return borne(setting, survey(of_dataset(dataframe), setting), bad_rows)


def borne(setting: str, found: Survey, bad_rows: float) -> Survey:
    """``found``, said in the log. Raises TaskError where more than the share ``bad_rows`` of it cannot be read."""
    named = "\n  ".join([*found.bad[:NAMED], *(["..."] if len(found.bad) > NAMED else [])])
    if len(found.bad) > bad_rows * found.rows:
        raise TaskError(
            f"{setting}: {len(found.bad)} of {found.rows} rows cannot be read, and egca.bad_rows={bad_rows:g} allows "
            f"{int(bad_rows * found.rows)}. Mend them, leave them out, or allow more:\n  {named}"
        )
    logger.warning("egca: %s: %s", setting, found)
    if found.bad:
        logger.warning("egca: %s: samples of these rows get reward 0, which teaches nothing:\n  %s", setting, named)
    return found
