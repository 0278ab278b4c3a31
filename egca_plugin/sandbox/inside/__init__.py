"""What runs in the candidate's own process. Standard library only; imports nothing here at the top."""
