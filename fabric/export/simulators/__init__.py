"""The files of simulators of networks and of collectives."""
