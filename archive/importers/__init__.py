"""Archive files of other programs: read leniently, every fault with its place."""
