"""`make bench`: storms, latency, memory, growth and kill -9, measured on real processes over real sockets."""
