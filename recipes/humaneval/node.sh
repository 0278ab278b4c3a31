#!/usr/bin/env bash
# One node of eight GPUs, DeepSeek-Coder-Instruct-6.7B with the paper's settings.
exec "$(dirname "$0")/../shared/launch.sh" humaneval hardware=node "$@"
