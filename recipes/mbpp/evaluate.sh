#!/usr/bin/env bash
# pass@1 on MBPP's 500 test tasks with the run's last checkpoint. Give the same hardware=, mode= and
# other overrides as to the training: they name the run, and say how many GPUs it takes. trainer.resume_mode=disable
# scores the base model. One task's asserts are 1,800 tokens long: it is scored too.
# shellcheck disable=SC2016  # Hydra expands what is quoted
exec "$(dirname "$0")/../shared/launch.sh" mbpp trainer.val_only=true trainer.val_before_train=true \
  'data.val_files=${oc.env:EGCA_DATA}/mbpp-test.parquet' \
  'trainer.validation_data_dir=${trainer.default_local_dir}/test' \
  data.max_prompt_length=2048 'hydra.run.dir=${trainer.validation_data_dir}/hydra' "$@"
