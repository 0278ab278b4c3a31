#!/usr/bin/env bash
# pass@1 on all 164 tasks of HumanEval with the run's last checkpoint. Give the same overrides as to the training.
exec "$(dirname "$0")/../shared/launch.sh" humaneval 1 trainer.val_only=true \
  'data.val_files=${oc.env:EGCA_DATA}/humaneval.parquet' \
  'trainer.validation_data_dir=${trainer.default_local_dir}/test' "$@"
