"""The pure decision: which job goes to which nodes of which offer, and why not elsewhere. No clock, no I/O: `now` is an argument."""
