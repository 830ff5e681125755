"""The models/encodings family: identical small MLA models that differ in the positional encoding only."""
