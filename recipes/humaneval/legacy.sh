#!/usr/bin/env bash
# One node, verl's deprecated trainer (trainer.use_v1=false).
exec "$(dirname "$0")/../shared/launch.sh" humaneval hardware=node mode=legacy "$@"
