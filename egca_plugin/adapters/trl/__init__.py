"""EGCA inside TRL, without a changed file of TRL's: ``EgcaGRPOTrainer`` is its ``GRPOTrainer`` with credit on tokens.

=============  ====================================================================================================
``versions``   which TRL this was written against; any other is refused
``settings``   the ``egca`` argument, and what of TRL's configuration is refused
``data``       tasks as the rows of a data set
``reward``     the reward function ``egca``: sampled ids -> text -> ``judging`` -> credit on tokens
``trainer``    TRL's advantages, placed by ``adapters.tensors`` on its final mask; metrics and records
=============  ====================================================================================================
"""

from egca_plugin.adapters.trl import versions

versions.check(versions.installed())  # before names are imported that another TRL may not have

from egca_plugin.adapters.trl.data import dataset  # noqa: E402
from egca_plugin.adapters.trl.trainer import EgcaGRPOTrainer  # noqa: E402

__all__ = ["EgcaGRPOTrainer", "dataset"]
