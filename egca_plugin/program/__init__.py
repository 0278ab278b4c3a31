"""Pure text and syntax: from what the model said to a program, its structure, and its probed twin."""
