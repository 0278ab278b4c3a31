#!/usr/bin/env bash
# SmolLM2-135M-Instruct on this machine's CPU, three steps: the starter tasks, or tasks=mbpp, tasks=humaneval. Only from a
# clone of the repository: what OpenRLHF needs of a GPU is mended by tests/adapters/openrlhf_cpu, which says what to install.
exec "$(dirname "$0")/launch.sh" hardware=cpu tasks=starter "$@"
