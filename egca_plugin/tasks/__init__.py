"""Where the training prompts come from: benchmark loaders, our starter tasks, verl rows, pre-flight."""
