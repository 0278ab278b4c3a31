"""The only place that runs generated code. Trusted and untrusted processes meet here, over bounded bytes."""
