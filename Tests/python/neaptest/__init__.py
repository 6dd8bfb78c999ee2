"""What the Python tests and benchmarks share: processes of the product on free ports, and a plain HTTP client."""
