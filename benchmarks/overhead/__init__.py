"""Wall clock against vanilla GRPO and against verl's own scorer: ``python -m benchmarks.overhead --help``.

Everything runs on recorded responses, the same for every arm: the reward path alone (``reward_path``), the ``adv``
phase (``advantage``), growth and a simulated cluster (``scaling``, ``simulation``), and whole training steps in
alternating pairs through unmodified verl (``training``).
"""
