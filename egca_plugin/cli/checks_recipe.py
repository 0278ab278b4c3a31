"""What ``egca doctor --recipe`` looks at: the recipe's settings, who trains, and the first rows of its data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from egca_plugin.cli.checks import Check, State
from egca_plugin.errors import AssetError, EgcaError, TaskError
from egca_plugin.tasks import parquet
from egca_plugin.tasks.rows import COLUMNS, Survey, survey

ROWS = 256  # of each file


def recipe_checks(path: Path) -> Iterator[Check]:
    """The recipe's own file, composed by Hydra as verl would, and read as a run reads it."""
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from egca_plugin.adapters.verl import settings

    mend = "correct the setting; recipes/README.md and `egca_plugin.config` say what there is"
    config = None
    try:
        with initialize_config_dir(str(path.absolute().parent), version_base=None):
            config = compose(path.stem)
        chosen = settings.check(config)
    except (EgcaError, HydraException, OmegaConfBaseException) as error:
        yield Check("recipe", State.BAD, f"{path}: {str(error)[:400]}", mend)
    else:
        yield Check("recipe", State.OK, f"{path}: {'egca ' + chosen.egca.preset if chosen.enabled else 'plain GRPO'}")
    if config is not None:
        yield _trainer(config)
        yield from _data(config)


def _trainer(config: Any) -> Check:
    """Only our trainers place the credit; verl's own take the same rewards for plain GRPO, or stop at the estimator."""
    from omegaconf import OmegaConf

    from egca_plugin.adapters.verl.settings import ESTIMATOR, TRAINER_MODES

    mode = OmegaConf.select(config, "trainer.v1.trainer_mode")
    if OmegaConf.select(config, "trainer.use_v1") is False:
        found = "trainer.use_v1=false: verl's deprecated trainer; credit is placed by egca_plugin.adapters.verl.legacy"
        return Check("trainer mode", State.WARN, found, "start it with python -m egca_plugin.adapters.verl.legacy")
    if mode in TRAINER_MODES:
        return Check("trainer mode", State.OK, f"trainer.v1.trainer_mode={mode}")
    stops = OmegaConf.select(config, "algorithm.adv_estimator") == ESTIMATOR
    result = "the run would stop at its first step" if stops else "EGCA would judge and place no credit"
    found = f"trainer.v1.trainer_mode={mode} is not EGCA's: {result}"
    ours = f"egca_{mode}" if f"egca_{mode}" in TRAINER_MODES else TRAINER_MODES[0]
    return Check("trainer mode", State.WARN, found, f"set trainer.v1.trainer_mode={ours}")


def _data(config: Any) -> Iterator[Check]:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    custom = OmegaConf.select(config, "reward.custom_reward_function.path")
    for setting in ("data.train_files", "data.val_files"):
        try:
            files = OmegaConf.select(config, setting)
        except OmegaConfBaseException as error:  # an interpolation that needs something unset
            yield Check(setting, State.WARN, str(error)[:400], "set what it names")
            continue
        for file in [files] if isinstance(files, str) else files or ():
            yield _file(setting, Path(str(file)).expanduser(), custom)


def _file(setting: str, path: Path, custom: str | None) -> Check:
    """Can its first rows be read as tasks, what are they, and who scores those that are no code?"""
    from egca_plugin.adapters.verl.rows import check_scorer

    if not path.exists():
        return Check(setting, State.WARN, f"{path}: not there, so its rows were not looked at", "write or fetch it")
    try:
        found = survey(_first_rows(path), str(path))
        for source, example in found.examples.items():
            if not custom:
                check_scorer(str(path), source, example, found.others[source])
    except (TaskError, AssetError) as error:
        return Check(setting, State.BAD, str(error)[:600], "see `egca prepare` for what rows look like")
    return _verdict(setting, path, found)


def _verdict(setting: str, path: Path, found: Survey) -> Check:
    said = f"{path}: of the first {found}"
    if found.bad and not (found.kinds or found.others):
        return Check(setting, State.BAD, f"{said}; {found.bad[0]}", "mend the data, or write it with `egca prepare`")
    if found.bad:
        mend = "samples of such rows get reward 0; mend them, or leave them out"
        return Check(setting, State.WARN, f"{said}; the first: {found.bad[0]}", mend)
    if not found.kinds:
        mend = "none of them is code, so no credit would be placed; check the files"
        return Check(setting, State.WARN, said, mend)
    return Check(setting, State.OK, said)


def _first_rows(path: Path) -> list[Mapping[str, Any]]:
    if path.suffix not in (".json", ".jsonl"):
        return parquet.first(path, ROWS, COLUMNS)
    try:
        with path.open(encoding="utf-8") as file:
            rows = [json.loads(line) for line in islice(file, ROWS)]
    except (OSError, ValueError) as error:
        raise AssetError(f"{path}: cannot be read as JSON lines ({error})") from error
    return [row if isinstance(row, Mapping) else {} for row in rows]
