"""Changes of a large table under a steady load, one at a time: how long anybody waited, and who was refused."""
