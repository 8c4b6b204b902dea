"""Ratios against named alternatives, each from one interleaved run; nothing here is a test."""
