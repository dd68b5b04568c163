"""Helpers of the tests: inputs, the operators as a table, implementations to run, and the accuracy rule."""
