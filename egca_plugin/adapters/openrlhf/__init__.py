"""EGCA inside OpenRLHF, without a changed file of OpenRLHF's: its own trainers, started by ``train``.

==============  ===================================================================================================
``versions``    which OpenRLHF this was written against, and every name of its that is rebound or extended
``settings``    ``--egca.*`` on the command line, and what of OpenRLHF's settings is refused
``train``       the launcher: OpenRLHF's own command line, with three names rebound in its process
``asking``      OpenRLHF's sample generator: each prompt goes out with the settings and the step
``executor``    in the rollout workers: sampled ids -> text -> ``adapters.groups`` -> reward, and credit on tokens
``agent``       the file for ``--train.agent_func_path``
``experience``  OpenRLHF's advantages, placed by ``adapters.tensors`` on its final mask
``data``        what the rows of the data sets are, before the first step
``trainer``     OpenRLHF's trainers with ``asking`` and ``experience``; metrics and records
==============  ===================================================================================================
"""
