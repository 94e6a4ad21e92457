"""What kvs_streams believes about Kinesis Video Streams, as checks that anyone can run on AWS.

``make live`` runs them and ``facts.FACTS`` lists them; ``tests/test_live.py`` proves them on
imitations.
"""
