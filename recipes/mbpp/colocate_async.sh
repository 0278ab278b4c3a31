#!/usr/bin/env bash
# One node; trainer and rollout share the GPUs, sampling goes on across steps.
exec "$(dirname "$0")/../shared/launch.sh" mbpp hardware=node mode=colocate_async "$@"
