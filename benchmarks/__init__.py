"""Benchmarks: kvs_streams beside raw boto3 and beside other validators (``make bench``)."""
