"""The harnesses at reduced size, and the defects they must see."""
