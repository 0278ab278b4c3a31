"""Print the folder of a run: folder.py takes the words that verl's own command takes, and composes as Hydra would."""

from __future__ import annotations

import argparse

from hydra import compose, initialize_config_dir


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config-dir", required=True)
    parser.add_argument("--config-name", required=True)
    known, overrides = parser.parse_known_args()
    with initialize_config_dir(known.config_dir, version_base=None):
        config = compose(known.config_name, overrides)
    print(config.trainer.default_local_dir)


if __name__ == "__main__":
    main()
