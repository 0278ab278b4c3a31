#!/usr/bin/env bash
# pass@1 on all 164 tasks of HumanEval with the run's last checkpoint. Give the same hardware=, mode= and
# other overrides as to the training: they name the run, and say how many GPUs it takes. trainer.resume_mode=disable
# scores the base model.
# shellcheck disable=SC2016  # Hydra expands what is quoted
exec "$(dirname "$0")/../shared/launch.sh" humaneval trainer.val_only=true trainer.val_before_train=true \
  'data.val_files=${oc.env:EGCA_DATA}/humaneval.parquet' \
  'trainer.validation_data_dir=${trainer.default_local_dir}/test' \
  'hydra.run.dir=${trainer.validation_data_dir}/hydra' "$@"
