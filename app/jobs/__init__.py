"""The work of operations that go on after the answer to their request."""
