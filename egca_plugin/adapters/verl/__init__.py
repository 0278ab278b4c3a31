"""EGCA inside verl, without a changed file of verl's. Nothing is imported here: Ray may come in by any of the modules.

=================  ================================================================================================
``register``       the ``verl.plugins`` entry point: leaves word (``hooks``), reports failures, ``versions`` decides
``reward``         ``reward.reward_manager.name=egca``: ids -> text -> ``judging`` -> credit on tokens -> ``channel``
``trainer``        ``trainer.v1.trainer_mode=egca_*``: hands a batch's credits to the estimator
``estimator``      ``algorithm.adv_estimator=egca``: verl's GRPO advantage, placed by ``adapters.tensors``
``workers``        verl's reward workers: restarted when they die, named when they do not start
``settings``       the ``egca.*`` settings and what is refused; ``config/`` holds the Hydra files
``legacy``         the same for ``trainer.use_v1=False``
``*_cpu``          platform, engine, policy and rollout without a GPU; ``launch`` starts such a run
=================  ================================================================================================
"""
