"""What could mend a program: every proposer of patches."""
