"""What takes more than one call, each written once for the sync and the async client."""
