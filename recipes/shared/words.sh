#!/usr/bin/env bash
# Sourced with a framework's name and the user's words by the recipes of other frameworks than verl, which have Hydra's
# words not from Hydra but from here. It reads them, looks at machine and data, and sets:
#   tasks, hardware, egca   tasks=mbpp|humaneval|starter, hardware=cpu|one_gpu, egca=verified|paper|off
#   ours                    EGCA's options for this run
#   options                 all other words, the framework's options, with egca.NAME=VALUE as --egca.NAME=VALUE
#   rows, validation, test  files to train on, to look at meanwhile, and to score in the end, without their endings
#   out                     the run's folder, named after what a run must not share
# It wants in the environment, or gives:
#   EGCA_DATA   where the prepared data is (data)     EGCA_RUNS   where the runs go (runs)
#   EGCA_MODEL  path or name (one_gpu: Qwen2.5-Coder-0.5B-Instruct; cpu: SmolLM2-135M-Instruct, made in the user's cache)
# shellcheck disable=SC2034  # they are for whoever sources this
recipe=$1
shift
shared=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export EGCA_DATA=${EGCA_DATA:-data} EGCA_RUNS=${EGCA_RUNS:-runs}
# shellcheck source=machine.sh
. "$shared/machine.sh"

tasks=mbpp hardware=one_gpu egca=verified options=()
while [ $# -gt 0 ]; do # the last word wins, as in Hydra
  case $1 in
    tasks=*) tasks=${1#*=} ;;
    hardware=*) hardware=${1#*=} ;;
    egca=* | --egca=*) egca=${1#*=} ;;
    --egca)
      egca=${2:-}
      shift $(($# > 1))
      ;;
    egca.*=*) options+=("--$1") ;;
    *) options+=("$1") ;;
  esac
  shift
done

case $egca in verified | paper | off) ;; *) refuse 2 "egca=$egca: expected verified, paper or off" ;; esac
case $tasks in
  mbpp) rows=mbpp-train validation=mbpp-validation test=mbpp-test ;;
  humaneval) rows=mbpp-train-clean validation=mbpp-validation test=humaneval ;; # MBPP without what is near HumanEval
  starter) rows=starter-train validation=starter-test test=starter-test ;;
  *) refuse 2 "tasks=$tasks: expected mbpp, humaneval or starter" ;;
esac
case $hardware in
  cpu) ;;
  one_gpu) need_gpus 1 "hardware=cpu trains SmolLM2-135M for a few steps without one (README.md)." ;;
  *) refuse 2 "hardware=$hardware: expected cpu or one_gpu" ;;
esac

if [ ! -f "$EGCA_DATA/$rows.parquet" ]; then # small data are prepared on the way; a long run's are not by accident
  if [ "$tasks" = starter ]; then
    for split in train test; do egca prepare starter --split "$split" --out "$EGCA_DATA"; done
  elif [ "$hardware" = cpu ]; then
    "$shared/../$tasks/prepare.sh"
  fi
fi
need_data "$tasks" "$rows" "$validation" "$test"

# Whole paths: a framework's workers may run elsewhere.
EGCA_DATA=$(realpath "$EGCA_DATA") out=$(realpath -m "$EGCA_RUNS/egca-$tasks/$recipe-$hardware-$egca")
ours=(--egca "$egca" --egca.records "$out/records" --egca.bank "$out/bank")
if [ "$hardware" = cpu ]; then
  # So small a model solves few of these tasks: localise in groups that all failed too, for the records to show it.
  ours+=(--egca.localize all)
  export TOKENIZERS_PARALLELISM=false OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(nproc)}
  export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive} # as in launch.sh
fi
rows="$EGCA_DATA/$rows" validation="$EGCA_DATA/$validation" test="$EGCA_DATA/$test"

policy() { # prints the model to start from
  if [ -n "${EGCA_MODEL:-}" ]; then
    echo "$EGCA_MODEL"
  elif [ "$hardware" = cpu ]; then
    smollm2
  else
    echo Qwen/Qwen2.5-Coder-0.5B-Instruct
  fi
}
