"""What the service costs beside the least that anybody could write: ``make bench``. How to read it: docs/reference/bench.md."""
