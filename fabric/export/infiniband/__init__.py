"""InfiniBand subnets as subnet managers and their tools read them."""
