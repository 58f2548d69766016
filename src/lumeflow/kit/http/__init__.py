"""What the blocks and the provider of generic HTTP share: configuration, requests, answers, paging."""
