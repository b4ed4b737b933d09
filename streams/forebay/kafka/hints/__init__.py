"""Records that may be lost: how they are written without anybody waiting, and how they are read."""
