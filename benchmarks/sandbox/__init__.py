"""What the sandbox costs, beside what others take for less protection; that it leaks nothing; and the attack corpus."""
