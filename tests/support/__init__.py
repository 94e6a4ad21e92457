"""What tests share: a scripted service on loopback, a virtual clock, clients of every kind."""
