"""Tiered model calls: the cheapest model that is good enough, whatever breaks."""
